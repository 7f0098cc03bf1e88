"""Figures of the trades of a run: what wins, what gaps gave, how much was held."""

from collections.abc import Mapping

import numpy as np

from quant_assets.quant.simulation.execution.results import BacktestResult

NAN = float("nan")


def trade_figures(result: BacktestResult) -> Mapping[str, float]:
    """Figures by name, over all trades; an open one counts as it is marked. NaN without trades.

    win_rate : share with pnl above 0. profit_factor : gains over losses. mean_trade : mean of
    pnl_pct. mean_bars : bars held. gap_profit : pnl of the trades that were held over bars that are
    missing; gap_share : of all pnl, NaN where there is none. exposure : share of bars with a
    position; mean_gross, most_gross : gross positions over equity.
    """
    trades, equity = result.trades, result.equity
    pnl = trades["pnl"].to_numpy(dtype=np.float64)
    gains, losses = float(pnl[pnl > 0].sum()), float(-pnl[pnl < 0].sum())
    over_gaps = float(pnl[trades["spans_gap"].to_numpy(dtype=bool)].sum())
    gross = (equity["gross"] / equity["equity"]).to_numpy(dtype=np.float64)
    return {
        "win_rate": float((pnl > 0).mean()) if len(pnl) else NAN,
        "profit_factor": gains / losses if losses else NAN,
        "mean_trade": float(trades["pnl_pct"].mean()) if len(pnl) else NAN,
        "mean_bars": float(trades["bars_held"].mean()) if len(pnl) else NAN,
        "gap_profit": over_gaps,
        "gap_share": over_gaps / float(pnl.sum()) if len(pnl) and pnl.sum() else NAN,
        "gap_trades": float(trades["spans_gap"].sum()),
        "exposure": float((gross > 0).mean()),
        "mean_gross": float(gross.mean()),
        "most_gross": float(gross.max()),
    }
