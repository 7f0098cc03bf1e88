"""What an account earned: returns of its equity, profit by symbol, what each cost took."""

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["cost_frame", "symbol_frame"]

Floats = npt.NDArray[np.float64]


def returns_of(equity: Floats, capital: float) -> Floats:
    """Simple returns of equity `(time,)`, the first against the capital.

    0 where nothing was left before: what a debt grows by is no gain.
    """
    before = np.concatenate([[capital], equity[:-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        returns: Floats = equity / before - 1.0
    if not before.min() > 0.0:
        returns[~(before > 0.0)] = 0.0
    return returns


def symbol_frame(trades: pd.DataFrame, symbols: tuple[str, ...]) -> pd.DataFrame:
    """Profit and costs of each symbol, index `symbol`: sums over its trades, open ones included."""
    names = ["pnl", "commission", "slippage", "borrow", "funding", "penalty"]
    sums = trades.groupby("symbol", sort=True)[names].sum().reindex(list(symbols), fill_value=0.0)
    counts = trades.groupby("symbol")["trade"].count().reindex(sums.index, fill_value=0)
    sums.insert(0, "n_trades", counts)
    return sums.rename_axis("symbol")


def cost_frame(equity: pd.DataFrame, capital: float) -> pd.DataFrame:
    """What each cost took over the run, index `cost`: `amount` (money), `share_of_capital`.

    The row `price_gains` is what prices alone gave; the rows add up to the change of equity.
    """
    signs = {"commission": -1, "slippage": -1, "penalty": -1, "borrow": -1}
    signs |= {"interest": 1, "funding": 1}
    parts = {name: 0.0 + sign * float(equity[name].sum()) for name, sign in signs.items()}
    change = float(equity["equity"].iloc[-1]) - capital if len(equity) else 0.0
    amounts = {"price_gains": change - sum(parts.values()), **parts}
    frame = pd.DataFrame({"amount": pd.Series(amounts)}).rename_axis("cost")
    return frame.assign(share_of_capital=frame["amount"] / capital)
