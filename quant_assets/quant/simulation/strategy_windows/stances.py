"""What a strategy holds, bar by bar, as opinions on instruments: the source of its streams."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.strategy_stances import StrategyStances
from quant_assets.core.context import StrategyContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.bars import instants, to_column

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]
TRADE = ["trade_id", "symbol", "direction", "entry_ts", "exit_ts", "strength"]


def strategy_stances_window(
    context: StrategyContext, telemetry: Telemetry, **inputs: pd.DataFrame
) -> pd.DataFrame:
    """`StrategyStances` of one window.

    Parameters
    ----------
    inputs
        `<strategy>_trades`, `<strategy>_positions` and `<strategy>_equity` of the window. Together
        the trades that ended in it and those open at its end are all that was held in it.

    A trade counts from the bar of its entry up to that of its exit, in which it is 0 (unless
    another one begins there): each row needs only what was known at its bar's close. The stance is
    the trade's side times its `strength`; without one the confidence is full.
    """
    name = context.strategy["strategy"]
    equity = inputs[f"{name}_equity"]
    parts = [inputs[f"{name}_{part}"][TRADE] for part in ("trades", "positions")]
    trades = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    if trades.empty:
        return StrategyStances.empty()
    trades = trades.sort_values(["entry_ts", "trade_id"], ignore_index=True)
    codes, symbols = pd.factorize(trades["symbol"], sort=True)
    stances = _stances(trades, codes, instants(equity["ts"]))
    rows, columns = np.nonzero(~np.isnan(stances))
    telemetry.log_metrics(f"strategy/{name}", {"stances": float(len(rows))})
    return pd.DataFrame(
        {
            "ts": to_column(instants(equity["ts"])[rows]),
            "available_at": to_column(instants(equity["available_at"])[rows]),
            "strategy_name": pd.array([name] * len(rows), dtype="str"),
            "symbol": pd.array(symbols.to_numpy()[columns].tolist(), dtype="str"),
            "stance": stances[rows, columns],
        }
    )


def _stances(trades: pd.DataFrame, codes: Integers, bars: npt.NDArray[np.datetime64]) -> Floats:
    """Stance (bar, symbol) at the close, NaN where nothing is held and nothing was closed."""
    side = np.where(trades["direction"] == "long", 1.0, -1.0)
    strength = trades["strength"].to_numpy(dtype=np.float64)
    stance = side * np.where(np.isnan(strength), 1.0, np.clip(strength, 0.0, 1.0))
    ended = trades["exit_ts"].notna().to_numpy()
    entry = np.searchsorted(bars, instants(trades["entry_ts"]), side="right") - 1
    leave = np.searchsorted(bars, instants(trades["exit_ts"]), side="right") - 1
    stances = np.full((len(bars), codes.max() + 1), np.nan)
    for trade, symbol in enumerate(codes.tolist()):
        last = leave[trade] if ended[trade] else len(bars)
        stances[last : last + 1, symbol] = 0.0
        stances[max(entry[trade], 0) : last, symbol] = stance[trade]
    return stances
