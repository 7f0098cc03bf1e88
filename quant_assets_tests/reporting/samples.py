"""Plausible frames of a small venue: every contract that the reporting room draws."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from quant_assets.contracts.candidate_clusters import CandidateClusters
from quant_assets.contracts.equity import Equity
from quant_assets.contracts.monte_carlo import FIGURES, MonteCarlo
from quant_assets.contracts.overfitting import Overfitting
from quant_assets.contracts.portfolio_weights import PortfolioWeights
from quant_assets.contracts.reference_returns import ReferenceReturns
from quant_assets.contracts.signal_metrics import SignalMetrics
from quant_assets.contracts.target_weights import TargetWeights
from quant_assets.contracts.tournament import Tournament
from quant_assets.contracts.window_metrics import WindowMetrics
from quant_assets.core.venues import Venue

MICROSECONDS = "datetime64[us, UTC]"
COST = 6e-4
CAPITAL = 1_000_000.0
BARS_PER_YEAR = 252
FRAMES = {
    "equity": Equity,
    "window_metrics": WindowMetrics,
    "reference_returns": ReferenceReturns,
    "portfolio_weights": PortfolioWeights,
    "target_weights": TargetWeights,
    "candidate_clusters": CandidateClusters,
    "signal_metrics": SignalMetrics,
    "tournament": Tournament,
    "overfitting": Overfitting,
    "monte_carlo": MonteCarlo,
}


def sample_venue(**changes: object) -> Venue:
    """The S&P 500 demo, as a venue file would describe it."""
    settings: dict[str, object] = {
        "name": "sp500_demo",
        "title": "S&P 500, twenty survivors",
        "description": "Total-return closes of twenty large companies, decided monthly.",
        "provider": {"name": "sample"},
        "history": {"first": "1990-01-02"},
        "market": {
            "asset_class": "equity",
            "currency": "USD",
            "calendar": "XNYS",
            "time_zone": "America/New_York",
            "bar_length": "1d",
            "bars_per_year": BARS_PER_YEAR,
            "price_fields": ["close"],
            "price_adjustment": "total_return",
            "survivors_only": True,
        },
        "reference": {"benchmark": "SPX", "risk_free": "RF"},
        "alpha": {"month_bars": 21},
        "simulation": {"fill": "next_close"},
        "reporting": {"rolling_bars": 60},
    }
    return Venue.model_validate(settings | changes)


def random_prices(n_bars: int = 340, n_symbols: int = 5, seed: int = 7) -> pd.DataFrame:
    """Geometric walks on business days, columns S0, S1, …; some correlation through one factor."""
    rng = np.random.default_rng(seed)
    ts = pd.bdate_range("2019-01-01", periods=n_bars, tz="UTC").as_unit("us")
    factor = rng.normal(3e-4, 0.009, (n_bars, 1))
    steps = factor + rng.normal(1e-4, 0.011, (n_bars, n_symbols))
    names = [f"S{number}" for number in range(n_symbols)]
    return pd.DataFrame(100 * np.exp(np.cumsum(steps, axis=0)), index=ts, columns=names)


@dataclass(frozen=True)
class Decisions:
    """Weights `(window, symbol)` of one entrant at each window's start."""

    entrant: str
    weights: pd.DataFrame


def sample_frames(
    prices: pd.DataFrame, entrants: dict[str, float], benchmark: pd.Series | None = None
) -> dict[str, pd.DataFrame]:
    """All frames of `TearSheetInputs`; an entrant tilts by volatility to its power, the champion

    follows the entrants in turn. Windows are calendar months; the last is short (`partial`).
    """
    returns = prices.pct_change().fillna(0.0)
    months = pd.DatetimeIndex(
        returns.index.tz_localize(None).to_period("M").start_time
    ).tz_localize("UTC")
    starts = pd.DatetimeIndex(months.unique()[3:]).as_unit("us")
    volatility = returns.rolling(60, min_periods=20).std().clip(lower=1e-3)
    chosen = {}
    for number, (name, power) in enumerate(sorted(entrants.items())):
        rows = []
        for position, start in enumerate(starts):
            sigma = volatility[returns.index < start].iloc[-1]
            wave = 1 + 0.5 * np.sin(position / 5 + number + np.arange(len(sigma)))
            raw = sigma.fillna(sigma.mean()) ** power * wave
            rows.append((raw / raw.sum()).to_numpy())
        chosen[name] = pd.DataFrame(rows, index=starts, columns=prices.columns)
    names = sorted(entrants)
    leader = [names[(position // 4) % len(names)] for position in range(len(starts))]
    chosen["champion"] = pd.DataFrame(
        [chosen[leader[p]].iloc[p].to_numpy() for p in range(len(starts))],
        index=starts, columns=prices.columns,
    )  # fmt: skip
    follows = dict(zip(starts, leader, strict=True))
    index = returns.mean(axis=1) if benchmark is None else benchmark.reindex(returns.index)
    shown = months.isin(starts)
    live, live_months, live_index = returns[shown], months[shown], index[shown]
    equity = pd.concat([_equity(name, w, live, live_months) for name, w in chosen.items()])
    equity = _sorted(equity, ["ts", "entrant"])
    windows = _windows(equity, live_index)
    return {
        "equity": equity,
        "window_metrics": windows,
        "reference_returns": _references(live_index),
        "portfolio_weights": _portfolio(chosen, follows, returns),
        "target_weights": _targets({n: w for n, w in chosen.items() if n != "champion"}),
        "candidate_clusters": _clusters(prices.columns, starts[-1], returns),
        "signal_metrics": _signals(starts, len(prices.columns)),
        "tournament": _tournament(equity, windows, live_index),
        "overfitting": _overfitting(equity),
        "monte_carlo": _monte_carlo(equity),
    }


def _overfitting(equity: pd.DataFrame) -> pd.DataFrame:
    """Psr and dsr fall with the name's place in the alphabet; five trials in all."""
    names = sorted(equity["entrant"].unique())
    n = len(names)
    return pd.DataFrame(
        {
            "entrant": pd.Series(names, dtype="str"),
            "n_days": [equity["ts"].nunique()] * n,
            "sharpe_ratio": np.linspace(0.1, -0.1, n),
            "psr": np.linspace(0.99, 0.20, n),
            "dsr": np.linspace(0.97, 0.01, n),
            "minimum_days": [250.5, *[np.nan] * (n - 1)],
            "family": pd.Series(names, dtype="str"),
            "family_trials": [1] * n,
            "family_dsr": [0.5] * n,
            "searched_trials": [0] * n,
            "n_trials": [5] * n,
            "effective_trials": [2.25] * n,
            "expected_maximum": [0.05] * n,
            "pbo": [0.4] * n,
            "pbo_trials": [5] * n,
            "pbo_days": [equity["ts"].nunique()] * n,
        }
    )


def _monte_carlo(equity: pd.DataFrame) -> pd.DataFrame:
    """Medians rise with the name's place in the alphabet; bands are as wide as their shares."""
    names = sorted(equity["entrant"].unique())
    shares = {"q025": -0.475, "q05": -0.45, "q25": -0.25, "q50": 0.0}
    shares |= {"q75": 0.25, "q95": 0.45, "q975": 0.475}
    rows = [
        {"entrant": name, "figure": figure, "observed": 0.1 * place}
        | {share: 0.1 * place + width for share, width in shares.items()}
        | {"n_days": equity["ts"].nunique(), "mean_block": 4.25, "n_paths": 1000, "seed": 3}
        for place, name in enumerate(names)
        for figure in FIGURES
    ]
    return pd.DataFrame(rows).astype({"entrant": "str", "figure": "str"})


def _sorted(frame: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    frame = frame.sort_values(key).reset_index(drop=True)
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.DatetimeTZDtype):
            frame[name] = frame[name].astype(MICROSECONDS)
        elif frame[name].dtype == object:
            frame[name] = frame[name].astype("str")
    return frame


def _equity(
    name: str, weights: pd.DataFrame, live: pd.DataFrame, months: pd.DatetimeIndex
) -> pd.DataFrame:
    held = weights.reindex(months).to_numpy()
    gross = (held * live.to_numpy()).sum(axis=1)
    first = np.r_[True, months[1:] != months[:-1]]
    before = np.vstack([np.zeros(held.shape[1]), held[:-1]])
    turnover = np.where(first, np.abs(held - before).sum(axis=1), 0.0)
    net = (1 + gross) * (1 - COST * turnover) - 1
    level = CAPITAL * np.cumprod(1 + net)
    start = np.r_[CAPITAL, level[:-1]]
    cost = start * (1 + gross) * COST * turnover
    return pd.DataFrame(
        {
            "ts": live.index,
            "available_at": live.index + pd.Timedelta(days=1),
            "entrant": name,
            "cash": level * 0.0,
            "position_value": level,
            "equity": level,
            "returns": net,
            "gross_returns": gross,
            "fees": cost / 6,
            "slippage": cost * 5 / 6,
            "funding": 0.0,
            "turnover": turnover,
        }
    )


def _drawdown(returns: pd.Series) -> float:
    grown = np.r_[1.0, np.cumprod(1 + returns.to_numpy())]
    return float((grown / np.maximum.accumulate(grown) - 1).min())


def _month(ts: pd.Series) -> pd.Series:
    return ts.dt.tz_localize(None).dt.to_period("M").dt.start_time.dt.tz_localize("UTC")


def _windows(equity: pd.DataFrame, index: pd.Series) -> pd.DataFrame:
    rows = []
    last = _month(equity["ts"]).max()
    for (start, entrant), bars in equity.groupby([_month(equity["ts"]), "entrant"]):
        ours = index.loc[bars["ts"]]
        rows.append(
            {
                "ts": start,
                "available_at": bars["available_at"].max(),
                "entrant": entrant,
                "partial": bool(start == last),
                "n_bars": len(bars),
                "net_return": float(np.prod(1 + bars["returns"]) - 1),
                "gross_return": float(np.prod(1 + bars["gross_returns"]) - 1),
                "benchmark_return": float(np.prod(1 + ours) - 1),
                "risk_free_return": 0.0,
                "annual_volatility": float(bars["returns"].std() * BARS_PER_YEAR**0.5),
                "max_drawdown": _drawdown(bars["returns"]),
                "turnover": float(bars["turnover"].sum()),
                "fees": float(bars["fees"].sum()),
                "slippage": float(bars["slippage"].sum()),
                "funding": 0.0,
                "drift_gap": 0.004,
            }
        )
    return _sorted(pd.DataFrame(rows), ["ts", "entrant"])


def _references(index: pd.Series) -> pd.DataFrame:
    late = np.arange(len(index)) >= len(index) * 3 // 4
    parts = [
        ("benchmark", "SPX", index.to_numpy(), np.zeros(len(index), dtype=bool)),
        ("risk_free", "RF", np.where(late, 0.0, 5e-5), late),
    ]
    frames = [
        pd.DataFrame(
            {
                "ts": index.index,
                "available_at": index.index + pd.Timedelta(days=1),
                "role": role,
                "symbol": symbol,
                "returns": values,
                "assumed": assumed,
            }
        )
        for role, symbol, values, assumed in parts
    ]
    return _sorted(pd.concat(frames), ["ts", "role"])


def _portfolio(
    chosen: dict[str, pd.DataFrame], follows: dict[pd.Timestamp, str], returns: pd.DataFrame
) -> pd.DataFrame:
    rows = []
    for entrant, weights in chosen.items():
        previous = np.zeros(weights.shape[1])
        for start, row in zip(weights.index, weights.to_numpy(), strict=True):
            for position, symbol in enumerate(weights.columns):
                rows.append(
                    {
                        "decided_at": start,
                        "entrant": entrant,
                        "symbol": symbol,
                        "weight": row[position],
                        "target_weight": row[position] * 1.01,
                        "previous_weight": previous[position],
                        "follows": follows[start] if entrant == "champion" else entrant,
                        "binding": "cap" if row[position] >= 0.19 else "",
                        "window_return": 0.01,
                        "state_mean": 0.01,
                        "state_variance": 0.0004,
                        "state_count": 3,
                    }
                )
            previous = row
    assert len(returns)
    return _sorted(pd.DataFrame(rows), ["decided_at", "entrant", "symbol"])


def _targets(chosen: dict[str, pd.DataFrame]) -> pd.DataFrame:
    rows = []
    for number, (entrant, weights) in enumerate(sorted(chosen.items())):
        for position, (start, row) in enumerate(
            zip(weights.index, weights.to_numpy(), strict=True)
        ):
            failed = number == 1 and position == 2
            for column, symbol in enumerate(weights.columns):
                rows.append(
                    {
                        "decided_at": start,
                        "entrant": entrant,
                        "symbol": symbol,
                        "weight": row[column],
                        "solver": "CLARABEL" if number % 2 else "active_set",
                        "status": "infeasible" if failed else "optimal",
                        "iterations": 9 + number,
                        "objective": 0.01,
                        "residual": 1e-9 * (number + 1),
                        "fallback": "previous_weights" if failed else "",
                    }
                )
    return _sorted(pd.DataFrame(rows), ["decided_at", "entrant", "symbol"])


def _clusters(symbols: pd.Index, start: pd.Timestamp, returns: pd.DataFrame) -> pd.DataFrame:
    names = sorted(symbols)
    correlation = returns[names].corr().to_numpy()
    labels = np.array([1 + number * 4 // len(names) for number in range(len(names))])
    means = [
        correlation[n, (labels == labels[n]) & (np.arange(len(names)) != n)].mean()
        if (labels == labels[n]).sum() > 1
        else np.nan
        for n in range(len(names))
    ]
    frame = pd.DataFrame(
        {"decided_at": start, "symbol": names, "cluster": labels, "mean_correlation": means}
    )
    return _sorted(frame, ["decided_at", "symbol"])


def _signals(starts: pd.DatetimeIndex, n_symbols: int, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frames = [
        pd.DataFrame(
            {
                "ts": starts,
                "available_at": starts + pd.Timedelta(days=31),
                "signal": name,
                "rank_ic": np.clip(rng.normal(mean, 0.25, len(starts)), -1, 1),
                "n_symbols": n_symbols,
            }
        )
        for name, mean in (("alpha", 0.05), ("model", 0.01), ("mps", 0.04), ("rank", 0.03))
    ]
    return _sorted(pd.concat(frames), ["ts", "signal"])


def _tournament(equity: pd.DataFrame, windows: pd.DataFrame, index: pd.Series) -> pd.DataFrame:
    partial = set(windows.loc[windows["partial"], "ts"])
    ranked = equity.loc[~_month(equity["ts"]).isin(partial)]
    rows = [
        _tournament_row(str(name), bars["returns"], bars["gross_returns"], bars)
        for name, bars in ranked.groupby("entrant")
    ]
    rows.sort(key=lambda row: -row["sharpe_ratio"])
    for rank, row in enumerate(rows, start=1):
        row["rank"] = rank
    ours = index.loc[ranked["ts"].unique()]
    rows.insert(0, _tournament_row("benchmark", ours, ours, None) | {"rank": 0})
    columns = list(Tournament.to_schema().columns)
    return pd.DataFrame(rows)[columns].astype({"entrant": "str"})


def _tournament_row(
    name: str, net: pd.Series, gross: pd.Series, bars: pd.DataFrame | None
) -> dict[str, object]:
    years = len(net) / BARS_PER_YEAR
    cagr = float(np.prod(1 + net) ** (1 / years) - 1)
    worst = _drawdown(net)
    return {
        "rank": -1,
        "entrant": name,
        "n_bars": len(net),
        "n_windows": net.index.nunique()
        if bars is None
        else bars["ts"].dt.strftime("%Y-%m").nunique(),
        "cagr_net": cagr,
        "cagr_gross": float(np.prod(1 + gross) ** (1 / years) - 1),
        "annual_volatility": float(net.std() * BARS_PER_YEAR**0.5),
        "sharpe_ratio": float(net.mean() / net.std() * BARS_PER_YEAR**0.5),
        "sharpe_ratio_gross": float(gross.mean() / gross.std() * BARS_PER_YEAR**0.5),
        "max_drawdown": worst,
        "calmar_ratio": cagr / abs(worst),
        "annual_turnover": 0.0 if bars is None else float(bars["turnover"].sum() / years),
        "costs": 0.0 if bars is None else float((bars["fees"] + bars["slippage"]).sum()),
        "information_ratio": np.nan if bars is None else 0.31,
        "break_even_bps": np.nan if bars is None else 22.4,
        "trusted": True,
    }
