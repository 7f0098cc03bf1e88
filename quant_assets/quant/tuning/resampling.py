"""Monte Carlo: what might have been, had trades, days or prices come a little differently."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.executor import Executor, SerialExecutor
from quant_assets.quant.analytics.metrics import cagr, max_drawdown, sharpe_ratio
from quant_assets.quant.market.bar_panel import PRICES, BarPanel
from quant_assets.quant.simulation.execution.earnings import returns_of
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.execution.runs import backtest, first_bar_of
from quant_assets.quant.statistics.bootstrap import (
    Resampling,
    optimal_block_length,
    stationary_bootstrap,
)
from quant_assets.quant.strategies.base import Strategy
from quant_assets.quant.tuning.bench import Execution, execution_model

__all__ = [
    "MonteCarloRun",
    "block_bootstrap",
    "bootstrap_returns",
    "price_noise",
    "skipped_trades",
    "trade_order",
]

Floats = npt.NDArray[np.float64]
POINTS = 200  # of the wealth that is kept of each path
CHUNK = 1_000_000  # returns drawn at a time


@dataclass(frozen=True, kw_only=True)
class MonteCarloRun:
    """Figures of many histories that might have been, beside the one that was.

    observed : figures of the history itself. draws : `(draw,)` by figure. wealth : `(draw, point)`
    of 1 at the start, at `points` `(point,)`: numbers of trades, or of periods, that have passed.
    `observed_wealth` `(point,)`.
    """

    kind: str
    observed: Mapping[str, float]
    draws: Mapping[str, Floats]
    points: npt.NDArray[np.int64]
    wealth: Floats
    observed_wealth: Floats

    def bands(self, level: float = 0.95) -> pd.DataFrame:
        """Per figure: `observed`, and `lower`, `median`, `upper` of the draws, of equal tails.

        Draws in which a figure is not defined are left out.
        """
        tails = self._tails(level)
        known = {name: values[~np.isnan(values)] for name, values in self.draws.items()}
        rows = {
            name: [
                self.observed[name],
                *(np.quantile(drawn, tails) if drawn.size else [np.nan] * 3),
            ]
            for name, drawn in known.items()
        }
        names = ["observed", "lower", "median", "upper"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=names).rename_axis("figure")

    def fan(self, level: float = 0.95) -> pd.DataFrame:
        """Wealth at each point: `observed`, `lower`, `median`, `upper`; index `point`."""
        low, middle, high = np.quantile(self.wealth, self._tails(level), axis=0)
        return pd.DataFrame(
            {"observed": self.observed_wealth, "lower": low, "median": middle, "upper": high},
            index=pd.Index(self.points, name="point"),
        )

    @staticmethod
    def _tails(level: float) -> list[float]:
        if not 0.0 < level < 1.0:
            raise ConfigError(f"level {level} must lie between 0 and 1")
        return [(1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0]


def trade_order(
    result: BacktestResult, *, n_paths: int = 1_000, rng: np.random.Generator
) -> MonteCarloRun:
    """The same trades in random order: how deep a drawdown luck of the order could have made.

    A trade multiplies wealth by 1 + profit / equity at its entry. Exact for trades one after the
    other; trades that overlap are taken as if they followed each other. Figures: `total_return`
    (the same in every order), `max_drawdown` at the ends of trades, `losing_run` (most losses in
    a row).
    """
    gains = _gains(result)

    def draw(n: int) -> Floats:
        return rng.permuted(np.broadcast_to(gains, (n, len(gains))), axis=1)

    return _of_trades("trade_order", gains, draw, _checked(n_paths))


def skipped_trades(
    result: BacktestResult,
    *,
    share: float = 0.1,
    n_paths: int = 1_000,
    rng: np.random.Generator,
) -> MonteCarloRun:
    """Each trade missed with probability `share`: whether a few trades made all of the gain.

    Wealth and figures as in `trade_order`; a missed trade changes no other.
    """
    if not 0.0 < share < 1.0:
        raise ConfigError(f"share {share} must lie between 0 and 1")
    gains = _gains(result)

    def draw(n: int) -> Floats:
        missed = rng.random((n, len(gains))) < share
        return np.where(missed, 0.0, gains)

    return _of_trades("skipped_trades", gains, draw, _checked(n_paths))


def block_bootstrap(
    result: BacktestResult,
    *,
    n_paths: int = 1_000,
    block: float | None = None,
    rng: np.random.Generator,
) -> MonteCarloRun:
    """Histories of returns drawn in blocks of mean length `block` (Politis & Romano 1994).

    Returns are those of UTC days, or of bars that are longer. block : None: as long as the
    dependence asks for (Politis & White 2004). Figures: `total_return`, `cagr`, `sharpe`,
    `max_drawdown`. A history whose equity falls to 0 or below ends there.
    """
    equity = result.equity["equity"]
    closes = equity.groupby(pd.DatetimeIndex(equity.index).floor("D")).last().to_numpy()
    returns = returns_of(closes, result.initial_capital)
    per_year = result.periods_per_year * len(returns) / len(equity)
    return bootstrap_returns(returns, per_year, n_paths=n_paths, block=block, rng=rng)


def bootstrap_returns(
    returns: Floats,
    periods_per_year: float,
    *,
    n_paths: int,
    block: float | None = None,
    rng: np.random.Generator,
) -> MonteCarloRun:
    """`block_bootstrap` of simple returns `(time,)`."""
    if block is None:
        found = float(optimal_block_length(returns).stationary) if len(returns) > 1 else 1.0
        block = max(1.0, found) if np.isfinite(found) else 1.0
    Resampling(block, _checked(n_paths)).checked()
    n = len(returns)
    points = _points(n)
    parts, wealth = [], []
    for count in _chunks(n_paths, n):
        rows = stationary_bootstrap(n, mean_block=block, n_draws=count, rng=rng)
        drawn = _until_ruin(returns[rows])
        path = _compounded(drawn)
        parts.append(_figures_of_returns(drawn, path, periods_per_year))
        wealth.append(path[:, points - 1])
    path = _compounded(returns)
    observed = {
        "total_return": float(path[-1] - 1.0),
        "cagr": float(cagr(returns, periods_per_year)),
        "sharpe": float(sharpe_ratio(returns, periods_per_year)),
        "max_drawdown": float(max_drawdown(returns)),
    }
    return MonteCarloRun(
        kind="block_bootstrap",
        observed=observed,
        draws={name: np.concatenate([part[name] for part in parts]) for name in observed},
        points=points,
        wealth=np.concatenate(wealth),
        observed_wealth=path[points - 1],
    )


def _figures_of_returns(drawn: Floats, path: Floats, per_year: float) -> dict[str, Floats]:
    spread = drawn.std(axis=1, ddof=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(spread > 0.0, drawn.mean(axis=1) / spread, np.nan)
    last = np.maximum(path[:, -1], 0.0)
    return {
        "total_return": path[:, -1] - 1.0,
        "cagr": last ** (per_year / drawn.shape[1]) - 1.0,
        "sharpe": ratio * np.sqrt(per_year),
        "max_drawdown": _drawdowns(path),
    }


def _until_ruin(returns: Floats) -> Floats:
    """The same, 0 after the first one that leaves nothing: two ruins would else make a fortune."""
    ruined = np.maximum.accumulate(returns <= -1.0, axis=-1)
    found = returns.copy()
    found[..., 1:][ruined[..., :-1]] = 0.0
    return found


def _compounded(returns: Floats) -> Floats:
    """Wealth after each return, of 1 at the start; along the last axis."""
    return np.asarray(np.cumprod(1.0 + returns, axis=-1), dtype=np.float64)


def _drawdowns(path: Floats) -> Floats:
    """Deepest fall of each path from a peak, which begins at 1; at most 0."""
    peaks = np.maximum(np.maximum.accumulate(path, axis=1), 1.0)
    return np.asarray(np.minimum((path / peaks - 1.0).min(axis=1), 0.0))


def _gains(result: BacktestResult) -> Floats:
    """Profit of each trade over equity at its entry, in order of the exits."""
    trades = result.trades
    if trades.empty:
        raise DataError("the run has no trade: there is nothing to draw from")
    gains: Floats = (trades["pnl_pct"] * trades["position_size_pct"]).to_numpy(dtype=np.float64)
    return gains


def _of_trades(kind: str, gains: Floats, draw: Any, n_paths: int) -> MonteCarloRun:
    points = _points(len(gains))
    parts, wealth = [], []
    for count in _chunks(n_paths, len(gains)):
        drawn = _until_ruin(draw(count))
        path = _compounded(drawn)
        parts.append(_figures_of_trades(drawn, path))
        wealth.append(path[:, points - 1])
    gains = _until_ruin(gains)
    path = _compounded(gains)
    own = _figures_of_trades(gains[None], path[None])
    return MonteCarloRun(
        kind=kind,
        observed={name: float(values[0]) for name, values in own.items()},
        draws={name: np.concatenate([part[name] for part in parts]) for name in own},
        points=points,
        wealth=np.concatenate(wealth),
        observed_wealth=path[points - 1],
    )


def _figures_of_trades(drawn: Floats, path: Floats) -> dict[str, Floats]:
    run, longest = np.zeros(len(drawn)), np.zeros(len(drawn))
    for column in drawn.T:
        run = np.where(column < 0.0, run + 1.0, np.where(column > 0.0, 0.0, run))
        longest = np.maximum(longest, run)
    return {
        "total_return": path[:, -1] - 1.0,
        "max_drawdown": _drawdowns(path),
        "losing_run": longest,
    }


def _points(n: int) -> npt.NDArray[np.int64]:
    """At most 200 numbers from 1 to n, evenly."""
    return np.unique(np.linspace(1, n, min(n, POINTS)).round().astype(np.int64))


def _chunks(n_paths: int, n: int) -> list[int]:
    size = max(1, CHUNK // max(n, 1))
    return [min(size, n_paths - first) for first in range(0, n_paths, size)]


def _checked(n_paths: int) -> int:
    if n_paths < 1:
        raise ConfigError(f"n_paths {n_paths} must be at least 1")
    return n_paths


@dataclass(frozen=True)
class _Noisy:
    """Runs the strategy on bars with one draw of noise; can be sent to processes."""

    strategy: Strategy
    bars: BarPanel
    execution: Execution
    scale: float
    arguments: Mapping[str, Any]

    def run(self, seed: np.random.SeedSequence | None) -> BacktestResult:
        bars = self.bars if seed is None else noisy(self.bars, self.scale, seed)
        return backtest(self.strategy, bars, self.execution, **self.arguments)

    def __call__(self, seed: np.random.SeedSequence | None) -> tuple[dict[str, float], Floats]:
        result = self.run(seed)
        equity = np.r_[result.initial_capital, result.equity_values]
        returns = returns_of(equity[1:], result.initial_capital)
        figures = {
            "total_return": float(equity[-1] / equity[0] - 1.0),
            "cagr": float(cagr(returns, result.periods_per_year)),
            "sharpe": float(sharpe_ratio(returns, result.periods_per_year)),
            "max_drawdown": float(max_drawdown(returns)),
            "n_trades": float(result.n_trades),
        }
        return figures, equity[_points(len(returns))] / equity[0]


def noisy(bars: BarPanel, scale: float, seed: np.random.SeedSequence) -> BarPanel:
    """Each price of each bar times exp(scale x volatility x z), z independent standard normal.

    Volatility is the standard deviation of the symbol's log returns per bar; high and low are then
    the extremes of the bar's four prices. NaN stays NaN.
    """
    rng = np.random.default_rng(seed)
    with np.errstate(invalid="ignore"):
        steps = np.diff(np.log(bars.close), axis=0)
    width = scale * np.nanstd(steps, axis=0)
    moved = [bars[name] * np.exp(width * rng.standard_normal(bars.close.shape)) for name in PRICES]
    stacked = np.stack(moved)
    return replace(
        bars, open=moved[0], high=stacked.max(axis=0), low=stacked.min(axis=0), close=moved[3]
    )


def price_noise(  # noqa: PLR0913  # a door: what a notebook may want to say
    strategy: Strategy,
    bars: BarPanel,
    execution: Execution = None,
    *,
    scale: float = 0.1,
    n_paths: int = 200,
    seed: int = 0,
    executor: Executor | None = None,
    **arguments: Any,
) -> MonteCarloRun:
    """The strategy run again on prices with noise: whether it hangs on single prints.

    scale : of the noise, in standard deviations of a bar's return; see `noisy`. arguments : further
    ones of `backtest`. The draws do not depend on the executor. Figures as in `block_bootstrap`,
    and `n_trades`.
    """
    if not scale > 0.0:
        raise ConfigError(f"scale {scale} must be above 0")
    run = _Noisy(strategy, bars, execution_model(execution, strategy), scale, arguments)
    seeds = np.random.SeedSequence(seed).spawn(_checked(n_paths))
    found = list((executor or SerialExecutor()).map(run, seeds))
    observed, path = run(None)
    first = first_bar_of(bars, arguments.get("start"), arguments.get("carried"))
    return MonteCarloRun(
        kind="price_noise",
        observed=observed,
        draws={name: np.array([figures[name] for figures, _ in found]) for name in observed},
        points=_points(len(bars) - first),
        wealth=np.stack([wealth for _, wealth in found]),
        observed_wealth=path,
    )
