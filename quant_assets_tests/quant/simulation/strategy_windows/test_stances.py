"""What a strategy holds at each close, from its trades."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.strategy_stances import StrategyStances
from quant_assets.core.context import StrategyContext
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.core.windows import Grid
from quant_assets.quant.simulation.strategy_windows.stances import strategy_stances_window
from quant_assets_tests.quant.simulation.strategy_windows.runs import market

DAYS = pd.date_range("2020-01-01", periods=6, tz="UTC", unit="us")
NAN = np.nan
Trade = tuple[int, str, str, int, int | None, float]


def trades(*rows: Trade) -> pd.DataFrame:
    """Trades as (id, symbol, direction, days of entry and exit, strength); day -2 is before."""

    def moment(day: int | None) -> pd.Timestamp:
        return pd.NaT if day is None else DAYS[0] + pd.Timedelta(days=day)

    columns = {
        "trade_id": [row[0] for row in rows],
        "symbol": pd.array([row[1] for row in rows], dtype="str"),
        "direction": pd.array([row[2] for row in rows], dtype="str"),
        "entry_ts": pd.Series([moment(row[3]) for row in rows], dtype="datetime64[us, UTC]"),
        "exit_ts": pd.Series([moment(row[4]) for row in rows], dtype="datetime64[us, UTC]"),
        "strength": pd.Series([row[5] for row in rows], dtype="float64"),
    }
    return pd.DataFrame(columns)


def stances(ended: pd.DataFrame, still_open: pd.DataFrame, n_bars: int = 6) -> pd.DataFrame:
    window = Grid().window("2020-01-01")
    context = StrategyContext(
        venue="v",
        window=window,
        decided_at=window.start,
        market=market(),
        strategy={"strategy": "dip"},
        mode="carry",
    )
    days = DAYS[:n_bars]
    equity = pd.DataFrame({"ts": days, "available_at": days + pd.Timedelta(days=1)})
    inputs = {"dip_trades": ended, "dip_positions": still_open, "dip_equity": equity}
    frame = strategy_stances_window(context, NullTelemetry(), **inputs)
    return StrategyStances.check_frame(frame, where="test")


def by_symbol(frame: pd.DataFrame, symbol: str) -> dict[int, float]:
    """Stance by day."""
    own = frame[frame["symbol"] == symbol]
    days = (own["ts"] - DAYS[0]).dt.days.tolist()
    return dict(zip(days, own["stance"].tolist(), strict=True))


def test_stances_by_hand():
    ended = trades(
        (1, "A", "long", -2, 1, NAN),  # from the window before
        (2, "B", "short", 1, 3, 0.25),
        (3, "B", "long", 3, 5, 2.0),  # the other side in the same bar; more than full confidence
        (4, "C", "long", 2, 2, NAN),  # in and out in one bar
    )
    frame = stances(ended, trades((5, "A", "long", 4, None, NAN)))
    assert by_symbol(frame, "A") == {0: 1.0, 1: 0.0, 4: 1.0, 5: 1.0}
    assert by_symbol(frame, "B") == {1: -0.25, 2: -0.25, 3: 1.0, 4: 1.0, 5: 0.0}
    assert by_symbol(frame, "C") == {2: 0.0}
    assert (frame["available_at"] == frame["ts"] + pd.Timedelta(days=1)).all()
    assert set(frame["strategy_name"]) == {"dip"}


def test_stances_of_a_strategy_that_holds_nothing_are_empty():
    assert stances(trades(), trades()).equals(StrategyStances.empty())


@pytest.mark.parametrize("cut", range(1, 6))
def test_stances_up_to_a_bar_need_no_later_one(cut: int):
    """The window ends after `cut` bars: trades that end later are still open there."""
    every = [
        (1, "A", "long", -2, 1, NAN),
        (2, "B", "short", 1, 3, 0.25),
        (3, "B", "long", 3, 5, 0.5),
        (4, "A", "short", 4, None, NAN),
    ]
    begun = [row for row in every if row[3] < cut]
    ended = [row for row in begun if row[4] is not None and row[4] < cut]
    still_open = [(*row[:4], None, row[5]) for row in begun if row not in ended]
    known = stances(trades(*ended), trades(*still_open), n_bars=cut)
    whole = stances(trades(*every[:3]), trades(every[3]))
    pd.testing.assert_frame_equal(known, whole[whole["ts"] < DAYS[cut]].reset_index(drop=True))
