"""Alpha-biased return streams: every scored instrument, once per side that the venue allows."""

import numpy as np
import pandas as pd

from quant_assets.contracts.alpha_streams import AlphaStreams
from quant_assets.core.context import StreamsContext
from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.synthesis.history import at_decision
from quant_assets.quant.synthesis.strategy_streams import strategy_streams

SIDES = {"long": 1, "short": -1}


def stream_returns(returns: Floats, symbols: tuple[str, ...], streams: pd.DataFrame) -> Floats:
    """Give the returns of each stream before costs: side x return of its symbol.

    returns : (time, symbol) with the columns `symbols`; streams : rows of `AlphaStreams`. The
    result is (time, stream) in the order of `streams`; NaN stays NaN.
    """
    position = {symbol: column for column, symbol in enumerate(symbols)}
    unknown = sorted(set(streams["symbol"]) - position.keys())
    if unknown:
        raise DataError(
            f"streams need returns of {unknown}, which are not among the {len(symbols)} symbols"
        )
    columns = [position[symbol] for symbol in streams["symbol"]]
    side = streams["side"].to_numpy(dtype=np.float64)
    return np.asarray(returns[:, columns] * side)


def alpha_streams_window(
    context: StreamsContext,
    telemetry: Telemetry,
    *,
    alpha_signals: pd.DataFrame,
    candidate_clusters: pd.DataFrame,
    **strategies: pd.DataFrame,
) -> pd.DataFrame:
    """Offer the streams `<symbol>:long` and `<symbol>:short`, an `AlphaStreams` frame.

    Only symbols that have both a signal and a cluster; sides are `synthesis.sides`. `alpha` and
    `expected_return` are multiplied by the side. `strategies` are the frames of those that the
    venue names (see `strategy_streams`), which add streams of their own.
    """
    signals = at_decision(alpha_signals, context.decided_at)
    clusters = at_decision(candidate_clusters, context.decided_at)
    joined = signals.merge(clusters[["symbol", "cluster"]], on="symbol", how="inner")
    sides = sorted(set(context.synthesis.sides))
    telemetry.log_metrics("alpha_streams", {"streams": float(len(joined) * len(sides))})
    if len(joined) == 0 or not sides:
        return AlphaStreams.empty()
    parts = [_one_side(joined, side) for side in sides]
    parts += strategy_streams(context, telemetry, joined[["symbol", "cluster"]], strategies)
    return pd.concat(parts).sort_values("stream").reset_index(drop=True)


def _one_side(joined: pd.DataFrame, side: str) -> pd.DataFrame:
    sign = SIDES[side]
    return pd.DataFrame(
        {
            "decided_at": joined["decided_at"],
            "stream": joined["symbol"] + f":{side}",
            "symbol": joined["symbol"],
            "side": np.full(len(joined), sign, dtype=np.int64),
            "cluster": joined["cluster"],
            "alpha": joined["alpha"] * sign + 0.0,  # + 0.0 turns -0.0 into 0.0: same bytes
            "expected_return": joined["expected_return"] * sign + 0.0,
        }
    )
