"""What might have been: bands of the entrants' figures over resampled histories."""

import numpy as np
import pandas as pd

from quant_assets.contracts.monte_carlo import MonteCarlo
from quant_assets.core.context import ReportingContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.analytics.metrics import cagr, max_drawdown, sharpe_ratio
from quant_assets.quant.analytics.trial_ledger import daily_streams
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.bootstrap import Resampling, optimal_block_length
from quant_assets.quant.statistics.monte_carlo import path_figures

QUANTILES = {
    "q025": 0.025, "q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95, "q975": 0.975,
}  # fmt: skip


def monte_carlo_venue(
    context: ReportingContext, telemetry: Telemetry, *, equity: pd.DataFrame
) -> pd.DataFrame:
    """Bands of CAGR, Sharpe ratio, drawdown and wealth of each entrant, a `MonteCarlo` frame.

    Daily net returns are drawn in blocks by the stationary bootstrap, as many days as the record
    has. Every entrant starts from the same seed, so that a new one changes no other.
    """
    entrants = daily_streams(equity, context.market.bar_length)
    per_year = context.market.bars_per_year / bars_in_a_day(equity)
    wanted = context.reporting
    rows = []
    for stream in entrants:
        block = mean_block(stream.returns)
        shared = {
            "n_days": len(stream.days),
            "mean_block": block,
            "n_paths": wanted.monte_carlo_paths,
            "seed": wanted.monte_carlo_seed,
        }
        bands = figure_bands(
            stream.returns,
            per_year,
            Resampling(block, wanted.monte_carlo_paths),
            np.random.default_rng(wanted.monte_carlo_seed),
        )
        rows += [
            {"entrant": stream.entrant, "figure": name, **bands[name], **shared}
            for name in sorted(bands)
        ]
    telemetry.log_metrics(
        "monte_carlo",
        {"entrants": float(len(entrants)), "paths": float(wanted.monte_carlo_paths)},
    )
    if not rows:
        return MonteCarlo.empty()
    return pd.DataFrame(rows).astype({"entrant": "str", "figure": "str"})


def figure_bands(
    returns: Floats, days_per_year: float, resampling: Resampling, rng: np.random.Generator
) -> dict[str, dict[str, float]]:
    """`observed` and the quantiles of each figure, by name; NaN where it is not defined.

    returns : simple net returns (day,). Quantiles are linearly interpolated, over the histories in
    which the figure is defined.
    """
    drawn = path_figures(returns, resampling, rng)
    with np.errstate(over="ignore"):
        yearly = np.expm1(drawn.growth_rate * days_per_year)
    draws = {
        "cagr": (cagr(returns, days_per_year), yearly),
        "max_drawdown": (max_drawdown(returns), drawn.max_drawdown),
        "sharpe_ratio": (
            sharpe_ratio(returns, days_per_year),
            drawn.sharpe * np.sqrt(days_per_year),
        ),
        "terminal_wealth": (np.prod(1.0 + returns), drawn.terminal_wealth),
    }
    return {
        name: {"observed": _finite(float(observed)), **_quantiles(values)}
        for name, (observed, values) in draws.items()
    }


def _quantiles(values: Floats) -> dict[str, float]:
    defined = values[~np.isnan(values)]
    if len(defined) == 0:
        return dict.fromkeys(QUANTILES, float("nan"))
    # an overflow is above every number: it may be a neighbour of a quantile, never a value
    found = np.quantile(np.minimum(defined, np.finfo(np.float64).max), list(QUANTILES.values()))
    return {name: _finite(float(value)) for name, value in zip(QUANTILES, found, strict=True)}


def _finite(value: float) -> float:
    """NaN for a number that is too large to be one."""
    return value if np.isfinite(value) and value < np.finfo(np.float64).max else float("nan")


def mean_block(returns: Floats) -> float:
    """Mean block length for `returns` (day,) by Politis & White, at least 1; 1 for a constant."""
    length = float(optimal_block_length(returns).stationary)
    return max(1.0, length) if np.isfinite(length) else 1.0


def bars_in_a_day(equity: pd.DataFrame) -> float:
    """Median number of bars that the `Equity` rows of an entrant have in a UTC day; at least 1."""
    if equity.empty:
        return 1.0
    days = equity["ts"].dt.floor("D")
    return float(equity.groupby([equity["entrant"], days], observed=True).size().median())
