"""Every doubt about a window in one frame: what its deliveries left, and flags on its series."""

import pandas as pd

from quant_assets.core.context import IngestionContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.adjust import unapplied
from quant_assets.quant.market.alignment import market_shifts
from quant_assets.quant.market.bars import instants, rows_of_window
from quant_assets.quant.market.flagged import united
from quant_assets.quant.market.flags import flag_bars
from quant_assets.quant.market.grid import outside_sessions
from quant_assets.quant.market.open_interest import open_interest_steps
from quant_assets.quant.market.order_book import crossed_books

LOOKBACK_BARS = 63  # a quarter of daily sessions: enough for the scale that a spike is measured by


def doubts_window(  # noqa: PLR0913 - one keyword for each asset that it reads
    context: IngestionContext,
    telemetry: Telemetry,
    *,
    raw_doubts: pd.DataFrame,
    bars: pd.DataFrame,
    adjustments: pd.DataFrame,
    open_interest: pd.DataFrame,
    order_book: pd.DataFrame,
    sessions: pd.DataFrame,
) -> pd.DataFrame:
    """Unite the rows that were set aside or mended with the flags on the stored series.

    raw_doubts, order_book, sessions : the window's. bars, adjustments, open_interest : the window's
    and those of windows before, which the first rows are compared with. A flag bears the `ts` and
    the `available_at` of its row and reads no later row. Clocks are judged once a window, at the
    last bar that a symbol has in it.
    """
    window_bars = bars.iloc[rows_of_window(instants(bars["ts"]), context.window)]
    flags = [
        flag_bars(bars, adjustments=unapplied(context.market.price_adjustment, adjustments)),
        open_interest_steps(open_interest),
        crossed_books(order_book),
        market_shifts(bars, context.market.bar_length),
        outside_sessions(context.market, window_bars, sessions),
    ]
    own = [flag.iloc[rows_of_window(instants(flag["ts"]), context.window)] for flag in flags]
    frame = united([raw_doubts, *own]).reset_index(drop=True)
    counts = frame["outcome"].value_counts().sort_index()
    telemetry.log_metrics("doubts", {str(name): float(n) for name, n in counts.items()})
    return frame
