"""The leaderboard of a venue over all whole windows."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from quant_assets.contracts.model_leaks import ModelLeaks
from quant_assets.contracts.tournament import Tournament
from quant_assets.core.context import ReportingContext
from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import Telemetry
from quant_assets.core.venues import StrategyRoles
from quant_assets.quant.analytics.metrics import (
    annual_volatility,
    cagr,
    calmar_ratio,
    check_annualisation,
    information_ratio,
    max_drawdown,
    sharpe_ratio,
)
from quant_assets.quant.analytics.references import reference_on, require_complete
from quant_assets.quant.analytics.series import ratio
from quant_assets.quant.analytics.trust import trusted_entrants
from quant_assets.quant.market.panel import Floats, Panel, to_panels

ACCOUNT = ["returns", "gross_returns", "fees", "slippage", "turnover"]
BASIS_POINTS = 1e4
NAN = float("nan")

Row = dict[str, int | float | str]


class TournamentContext(ReportingContext):
    """A reporting context that also knows which strategies take part in the venue."""

    strategies: StrategyRoles = StrategyRoles()


def leaderboard(
    context: ReportingContext,
    telemetry: Telemetry,
    *,
    equity: pd.DataFrame,
    window_metrics: pd.DataFrame,
    reference_returns: pd.DataFrame,
    model_leaks: pd.DataFrame | None = None,
    **leaks: pd.DataFrame,
) -> pd.DataFrame:
    """Rank all entrants by net Sharpe ratio; rank 0 is the venue's benchmark, if it has one.

    Inputs hold all windows; bars of partial windows are left out. Ties go by name, an undefined
    Sharpe ratio comes last. Each entrant is measured on its own bars, the benchmark on all of them.

    `annual_turnover` is two-way, `costs` are fees and slippage in currency. `break_even_bps` is the
    one-way cost b in CAGR(gross) - annual_turnover x b / 1e4 = CAGR(benchmark on the same bars).

    `trusted` is read from `model_leaks` of all windows and the `<strategy>_leaks`; see
    `trusted_entrants`. It does not move a rank.

    Raises
    ------
    DataError
        Equity without its window metrics, a benchmark or risk-free series with missing bars, or
        `bars_per_year` more than 5 % away from the data.
    """
    whole = _whole_windows(equity, window_metrics)
    if whole.account.empty:
        return Tournament.empty()
    observed = check_annualisation(
        pd.DatetimeIndex(equity["ts"].unique()), context.market.bars_per_year
    )
    panels = to_panels(whole.account.rename(columns={"entrant": "symbol"}), ACCOUNT)
    references = _references(context, reference_returns, panels["returns"].ts)
    rows = [
        _entrant_row(panels, column, references) | {"n_windows": whole.n_windows[entrant]}
        for column, entrant in enumerate(panels["returns"].symbols)
    ]
    verdicts = ModelLeaks.empty() if model_leaks is None else model_leaks
    streams = context.strategies.streams if isinstance(context, TournamentContext) else ()
    trusted = trusted_entrants(panels["returns"].symbols, verdicts, leaks, streams)
    rows = [row | {"trusted": trusted[str(row["entrant"])]} for row in rows]
    rows.sort(key=_standing)
    if references.benchmark is not None:
        name = str(context.reference.benchmark)
        rows.insert(
            0, _benchmark_row(references, name) | {"n_windows": whole.n_all, "trusted": True}
        )
    figures = {
        "n_bars": float(len(references.ts)),
        "partial_rows": float(len(equity) - len(whole.account)),
    }
    if np.isfinite(observed):
        figures["bars_per_year"] = observed
    telemetry.log_metrics("tournament", figures)
    return _table(rows, first_rank=0 if references.benchmark is not None else 1)


@dataclass(frozen=True)
class _WholeWindows:
    """Equity rows of whole windows, and how many windows there are, per entrant and in all."""

    account: pd.DataFrame
    n_windows: dict[str, int]
    n_all: int


def _whole_windows(equity: pd.DataFrame, window_metrics: pd.DataFrame) -> _WholeWindows:
    starts = pd.DatetimeIndex(window_metrics["ts"].unique()).sort_values()
    window = starts.searchsorted(pd.DatetimeIndex(equity["ts"]), side="right") - 1
    keys = pd.MultiIndex.from_arrays([window, equity["entrant"]], names=["window", "entrant"])
    metrics = window_metrics.set_index(
        pd.MultiIndex.from_arrays(
            [starts.get_indexer(pd.DatetimeIndex(window_metrics["ts"])), window_metrics["entrant"]],
            names=["window", "entrant"],
        )
    )
    _require_metrics(keys, metrics["n_bars"], starts)
    whole = metrics[~metrics["partial"].to_numpy(dtype=bool)]
    account = equity[keys.isin(whole.index)]
    n_windows = whole.groupby(level="entrant").size()
    return _WholeWindows(
        account,
        {str(entrant): int(count) for entrant, count in n_windows.items()},
        whole.index.get_level_values("window").nunique(),
    )


def _require_metrics(keys: pd.MultiIndex, n_bars: pd.Series, starts: pd.DatetimeIndex) -> None:
    """Every window of every entrant must have as many equity rows as its metrics say."""
    counts = pd.Series(1, index=keys, dtype="int64").groupby(level=[0, 1]).sum()
    every = counts.index.union(n_bars.index)
    found, expected = (s.reindex(every).fillna(0).to_numpy() for s in (counts, n_bars))
    wrong = np.flatnonzero(found != expected)
    if len(wrong):
        window, entrant = every[wrong[0]]
        start = f"{starts[window]:%Y-%m-%d}" if window >= 0 else "before the first metrics"
        raise DataError(
            f"equity and window_metrics disagree for {len(wrong)} of {len(every)} windows; first: "
            f"entrant {entrant!r}, window {start}: {found[wrong[0]]:.0f} bars of equity, metrics "
            f"say {expected[wrong[0]]:.0f}. Materialize window_metrics for these windows"
        )


@dataclass(frozen=True)
class _References:
    """Benchmark (None: the venue has none) and risk-free returns on `ts`; both complete."""

    ts: pd.DatetimeIndex
    benchmark: Floats | None
    risk_free: Floats
    per_year: int


def _references(
    context: ReportingContext, reference_returns: pd.DataFrame, ts: pd.DatetimeIndex
) -> _References:
    """Align both series; no risk-free row at all means a rate of 0, gaps are a `DataError`."""
    benchmark = None
    if context.reference.benchmark is not None:
        values = reference_on(reference_returns, "benchmark", ts)
        values = np.full(len(ts), np.nan) if values is None else values
        benchmark = require_complete(values, f"benchmark ({context.reference.benchmark})", ts)
    free = reference_on(reference_returns, "risk_free", ts)
    risk_free = np.zeros(len(ts)) if free is None else require_complete(free, "risk-free", ts)
    return _References(ts, benchmark, risk_free, context.market.bars_per_year)


def _rates(net: Floats, gross: Floats, risk_free: Floats, per_year: int) -> Row:
    return {
        "n_bars": len(net),
        "cagr_net": float(cagr(net, per_year)),
        "cagr_gross": float(cagr(gross, per_year)),
        "annual_volatility": float(annual_volatility(net, per_year)),
        "sharpe_ratio": float(sharpe_ratio(net, per_year, risk_free)),
        "sharpe_ratio_gross": float(sharpe_ratio(gross, per_year, risk_free)),
        "max_drawdown": float(max_drawdown(net)),
        "calmar_ratio": float(calmar_ratio(net, per_year)),
    }


def _entrant_row(panels: dict[str, Panel], column: int, references: _References) -> Row:
    account = {name: np.take(panel.values, column, axis=1) for name, panel in panels.items()}
    own = ~np.isnan(account["returns"])
    net, gross, per_year = (
        account["returns"][own],
        account["gross_returns"][own],
        references.per_year,
    )
    row = _rates(net, gross, references.risk_free[own], per_year)
    turnover = float(account["turnover"][own].sum()) / len(net) * per_year
    information = break_even = NAN
    if references.benchmark is not None:
        benchmark = references.benchmark[own]
        information = float(information_ratio(net, benchmark, per_year))
        margin = float(row["cagr_gross"]) - float(cagr(benchmark, per_year))
        break_even = ratio(margin * BASIS_POINTS, turnover)
    return row | {
        "entrant": panels["returns"].symbols[column],
        "annual_turnover": turnover,
        "costs": float((account["fees"] + account["slippage"])[own].sum()),
        "information_ratio": information,
        "break_even_bps": break_even,
    }


def _benchmark_row(references: _References, name: str) -> Row:
    returns = references.benchmark
    if returns is None:
        raise DataError(f"no benchmark returns for {name!r}")
    row = _rates(returns, returns, references.risk_free, references.per_year)
    nothing = {"annual_turnover": 0.0, "costs": 0.0}
    return row | nothing | {"entrant": name, "information_ratio": NAN, "break_even_bps": NAN}


def _standing(row: Row) -> tuple[bool, float, str]:
    sharpe = float(row["sharpe_ratio"])
    undefined = math.isnan(sharpe)
    return undefined, 0.0 if undefined else -sharpe, str(row["entrant"])


def _table(rows: list[Row], first_rank: int) -> pd.DataFrame:
    columns: dict[str, object] = {
        "rank": np.arange(first_rank, first_rank + len(rows), dtype=np.int64),
        "entrant": pd.array([str(row["entrant"]) for row in rows], dtype="str"),
    }
    for name in Tournament.to_schema().columns:
        if name not in columns:
            columns[name] = np.array([row[name] for row in rows])
    return pd.DataFrame(columns)
