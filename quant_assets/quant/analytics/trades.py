"""What closed trades brought: counts, wins and losses, runs, holding times and excursions."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics.series import ratio
from quant_assets.quant.market.panel import Floats

__all__ = ["trade_statistics"]

REQUIRED = ("ts", "quantity", "entry_price", "exit_price", "pnl")
GROUPS = ("entrant", "symbol", "side")


def trade_statistics(trades: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """One row of figures per group of closed trades; without `by`, one row `all`.

    Parameters
    ----------
    trades : a `Trades` frame: `ts` of the exit, signed `quantity`, `entry_price`, `exit_price`,
        `pnl` net of fees, in currency; `fee` and `fill_id` where it has them. Where given also
        `entry_ts`, and the excursions `mae` <= 0 and `mfe` >= 0, fractions of the entry price.
    by : any of `entrant`, `symbol`, `side` (`long` or `short`, by the sign of `quantity`).

    Returns
    -------
    Columns: `n_trades`, `n_wins`, `n_losses` (a trade of exactly 0 is neither); `hit_rate` =
    wins / (wins + losses); `pnl`, `gross_profit`, `gross_loss` (negative), `fees`;
    `profit_factor` (infinite without losses); `expectancy` = mean pnl; `average_win`,
    `average_loss` (negative), `payoff_ratio`, `largest_win`, `largest_loss`;
    `expectancy_ratio` = expectancy / |average loss|; `system_quality` = √n mean / std(ddof 1) of
    pnl [Tharp 1998]; `kelly` = p - (1 - p) / payoff; `longest_winning_run`, `longest_losing_run`
    in the order of exits; `mean_return`, `median_return`, `best_return`, `worst_return` of
    pnl / (|quantity| entry price); with `entry_ts` `average_holding`, `longest_holding`; with
    excursions `average_mae`, `worst_mae`, `average_mfe`, `edge_ratio` = mean mfe / mean |mae|.

    A figure over 0 is NaN. A NaN in a required column is a `DataError`.
    """
    _check(trades, by)
    ordered = trades.assign(side=np.where(trades["quantity"] > 0, "long", "short"))
    ordered = ordered.sort_values(["ts", *(["fill_id"] if "fill_id" in trades else [])])
    groups = [("all", ordered)] if not by else ordered.groupby(list(by), sort=True)
    rows = [(key, _figures(group)) for key, group in groups]
    frame = pd.DataFrame([row for _, row in rows], columns=list(_figures(ordered)))
    if not by:
        frame.index = pd.Index(["all"], name="group")
    else:
        keys = [key if isinstance(key, tuple) else (key,) for key, _ in rows]
        frame.index = pd.MultiIndex.from_tuples(keys, names=list(by))
    return frame


def _check(trades: pd.DataFrame, by: Sequence[str]) -> None:
    lacking = [name for name in REQUIRED if name not in trades.columns]
    if lacking:
        raise DataError(f"trades lack the columns {lacking}; they have {list(trades.columns)}")
    unknown = [name for name in by if name not in GROUPS]
    if unknown:
        raise DataError(f"trades cannot be grouped by {unknown}; known: {', '.join(GROUPS)}")
    holes = trades[list(REQUIRED)].isna().sum()
    if holes.any():
        raise DataError(f"trades have missing values: {holes[holes > 0].to_dict()}")


def _figures(trades: pd.DataFrame) -> dict[str, object]:
    pnl = trades["pnl"].to_numpy(dtype=np.float64)
    invested = trades["quantity"].abs() * trades["entry_price"]
    returns = pnl / invested.to_numpy(dtype=np.float64)
    return {
        **_amounts(pnl),
        "fees": float(trades["fee"].sum()) if "fee" in trades else float("nan"),
        **win_loss_figures(pnl),
        "longest_winning_run": _longest(pnl > 0.0),
        "longest_losing_run": _longest(pnl < 0.0),
        "mean_return": _of(np.mean, returns),
        "median_return": _of(np.median, returns),
        "best_return": _of(np.max, returns),
        "worst_return": _of(np.min, returns),
        **_holding(trades),
        **_excursions(trades),
    }


def _amounts(pnl: Floats) -> dict[str, float]:
    return {
        "n_trades": len(pnl),
        "n_wins": int((pnl > 0.0).sum()),
        "n_losses": int((pnl < 0.0).sum()),
        "pnl": float(pnl.sum()),
        "gross_profit": float(pnl[pnl > 0.0].sum()),
        "gross_loss": float(pnl[pnl < 0.0].sum()),
        "largest_win": _of(np.max, pnl[pnl > 0.0]),
        "largest_loss": _of(np.min, pnl[pnl < 0.0]),
    }


def win_loss_figures(pnl: Floats) -> dict[str, float]:
    """What `trade_statistics` says of wins against losses, for any outcomes without NaN."""
    wins, losses = pnl[pnl > 0.0], pnl[pnl < 0.0]
    win, loss = _of(np.mean, wins), _of(np.mean, losses)
    rate = ratio(len(wins), len(wins) + len(losses))
    payoff, mean = ratio(win, -loss), _of(np.mean, pnl)
    lossless = len(wins) > 0 and not len(losses)
    spread = float(pnl.std(ddof=1)) if len(pnl) > 1 else float("nan")
    return {
        "hit_rate": rate,
        "average_win": win,
        "average_loss": loss,
        "payoff_ratio": payoff,
        "profit_factor": float("inf") if lossless else ratio(wins.sum(), -losses.sum()),
        "expectancy": mean,
        "expectancy_ratio": ratio(mean, -loss),
        "system_quality": ratio(mean * np.sqrt(len(pnl)), spread),
        "kelly": rate - ratio(1.0 - rate, payoff),
    }


def _holding(trades: pd.DataFrame) -> dict[str, object]:
    if "entry_ts" not in trades:
        return {}
    held = trades["ts"] - trades["entry_ts"]
    return {"average_holding": held.mean(), "longest_holding": held.max()}


def _excursions(trades: pd.DataFrame) -> dict[str, float]:
    if "mae" not in trades or "mfe" not in trades:
        return {}
    adverse, favourable = (trades[name].to_numpy(dtype=np.float64) for name in ("mae", "mfe"))
    return {
        "average_mae": _of(np.mean, adverse),
        "worst_mae": _of(np.min, adverse),
        "average_mfe": _of(np.mean, favourable),
        "edge_ratio": ratio(_of(np.mean, favourable), abs(_of(np.mean, adverse))),
    }


def _of(statistic: Callable[[Floats], np.floating], values: Floats) -> float:
    """NaN of nothing."""
    return float(statistic(values)) if len(values) else float("nan")


def _longest(flags: npt.NDArray[np.bool_]) -> int:
    """Longest run of True."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False].astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
