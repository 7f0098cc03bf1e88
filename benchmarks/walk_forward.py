"""Variance portfolios of 500 assets, a window at a time from a cold start, beside their peers."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from benchmarks._peers import timed
from benchmarks.page import Row
from quant_assets.quant.moments.covariance import ledoit_wolf
from quant_assets.quant.optimization.base import Constraints, Optimizer
from quant_assets.quant.optimization.constraints.transaction_cost import TransactionCost
from quant_assets.quant.optimization.constraints.turnover_limit import TurnoverLimit
from quant_assets.quant.optimization.maximum_sharpe import MaximumSharpe
from quant_assets.quant.optimization.mean_variance import MeanVariance
from quant_assets.quant.optimization.minimum_variance import MinimumVariance

TITLE = "Variance portfolios of 500 assets, at most 5 % each, 252 rows a window, one thread"
TARGET = (
    "minimum variance and mean-variance in 0.35 of PIQP's time and 0.012 of skfolio's, maximum "
    "Sharpe in 0.015 of cvxpy's, mean-variance with a turnover limit in 0.015 of PIQP's"
)
ASSETS, QUICK_ASSETS, WINDOWS = 500, 30, 12
AVERSION, COST, TURNOVER = 10.0, 1e-3, 0.2
AGREED = 1e-6
Floats = npt.NDArray[np.float64]
Fit = Callable[[Floats, Floats], Floats]  # returns, previous weights


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    spans = windows(QUICK_ASSETS if quick else ASSETS)
    cap = 0.2 if quick else 0.05
    held = np.full(spans[0].shape[1], 1.0 / spans[0].shape[1])
    peers: dict[str, tuple[dict[str, Fit] | None, str]] = {
        "PIQP directly": piqp_or_reason(cap),
        "skfolio": skfolio_or_reason(cap),
        "cvxpy and Clarabel": (clarabel(cap), ""),
    }
    rows: list[Row] = []
    with threadpool_limits(1):
        for problem, fit in ours(cap).items():
            ways = {"ours": fit}
            for peer, (fits, _) in peers.items():
                if fits is not None and problem in fits:
                    ways[peer] = fits[problem]
            rows += compared(problem, ways, spans, held, repeats=1 if quick else 3)
    missing = "; ".join(reason for fits, reason in peers.values() if fits is None)
    return [row | {"not compared": missing} for row in rows] if missing else rows


def compared(
    problem: str, ways: dict[str, Fit], spans: list[Floats], held: Floats, *, repeats: int
) -> list[Row]:
    """Time every way, ours over all windows, a peer over the first two; equal objectives first."""
    worths = {who: worth(problem, spans[0], fit(spans[0], held), held) for who, fit in ways.items()}
    for who, value in worths.items():
        if abs(value - worths["ours"]) > AGREED * abs(value) and value > worths["ours"]:
            raise RuntimeError(f"{problem}: {who} reaches {value!r}, ours {worths['ours']!r}")
    each = {}
    for who, fit in ways.items():
        mine = spans if who == "ours" else spans[:2]
        timing = timed({who: lambda fit=fit, mine=mine: [fit(x, held) for x in mine]}, repeats)[who]
        each[who] = timing.typical / len(mine)
    return [
        {
            "problem": problem,
            "way": who,
            "CPU ms per window": 1e3 * each[who],
            "ours / this": each["ours"] / each[who],
            "behind ours, relative": max((worths["ours"] - worths[who]) / abs(worths[who]), 0.0),
        }
        for who in ways
    ]


def worth(problem: str, returns: Floats, weights: Floats, held: Floats) -> float:
    """Objective, the larger the better."""
    covariance, mean = ledoit_wolf(returns), returns.mean(axis=0)
    variance = float(weights @ covariance @ weights)
    if problem == "minimum variance":
        return -variance
    if problem == "maximum Sharpe":
        return float(mean @ weights) / float(np.sqrt(variance))
    utility = float(mean @ weights) - AVERSION / 2 * variance
    traded = float(np.abs(weights - held).sum()) if problem.endswith("turnover") else 0.0
    return utility - COST * traded


def windows(n_assets: int) -> list[Floats]:
    """Twelve training spans of daily returns, 21 rows apart, with one common factor."""
    rng = np.random.default_rng(0)
    n_rows = 252 + 21 * (WINDOWS - 1)
    common = 0.008 * rng.standard_normal((n_rows, 1)) * rng.uniform(0.5, 1.5, n_assets)
    noise = rng.uniform(0.01, 0.03, n_assets) * rng.standard_normal((n_rows, n_assets))
    returns = 0.0004 + common + noise
    return [returns[21 * k : 21 * k + 252] for k in range(WINDOWS)]


def ours(cap: float) -> dict[str, Fit]:
    box = Constraints(upper=cap)

    def traded(held: Floats) -> Constraints:
        rules = (TurnoverLimit(held, TURNOVER), TransactionCost(held, COST))
        return Constraints(upper=cap, rules=rules)

    def fitted(optimizer: Optimizer, returns: Floats) -> Floats:
        weights = optimizer.fit(returns).weights_
        if optimizer.solver_report_.fallback:
            raise RuntimeError(f"{optimizer} fell back: {optimizer.solver_report_}")
        return weights

    return {
        "minimum variance": lambda x, _: fitted(MinimumVariance(constraints=box), x),
        "mean-variance": lambda x, _: fitted(
            MeanVariance(constraints=box, risk_aversion=AVERSION), x
        ),
        "maximum Sharpe": lambda x, _: fitted(MaximumSharpe(constraints=box), x),
        "mean-variance, turnover": lambda x, held: fitted(
            MeanVariance(constraints=traded(held), risk_aversion=AVERSION), x
        ),
    }


def piqp_or_reason(cap: float) -> tuple[dict[str, Fit] | None, str]:
    """PIQP on the dense covariance; with trades on its factors, where it is faster."""
    try:
        piqp = importlib.import_module("piqp")
    except ImportError:
        return None, "skipped: piqp is not installed (pip install piqp)"

    def dense(returns: Floats, aversion: float, mean: Floats) -> Floats:
        n_assets = returns.shape[1]
        covariance = ledoit_wolf(returns) * aversion
        unit = 1.0 / np.diag(covariance).mean()
        solver = piqp.DenseSolver()
        solver.settings.verbose = False
        solver.setup(
            P=covariance * unit,
            c=-mean * unit,
            A=np.ones((1, n_assets)),
            b=np.ones(1),
            x_l=np.zeros(n_assets),
            x_u=np.full(n_assets, cap),
        )
        solver.solve()
        return np.array(solver.result.x)

    return {
        "minimum variance": lambda x, _: dense(x, 1.0, np.zeros(x.shape[1])),
        "mean-variance": lambda x, _: dense(x, AVERSION, x.mean(axis=0)),
        "mean-variance, turnover": lambda x, held: _traded(piqp, x, held, cap),
    }, ""


def _traded(piqp: Any, returns: Floats, held: Floats, cap: float) -> Floats:
    """Variables: weights, the factors' returns, purchases and sales."""
    from scipy import sparse

    n_rows, n_assets = returns.shape
    covariance, centred = ledoit_wolf(returns), returns - returns.mean(axis=0)
    other = ~np.eye(n_assets, dtype=bool)
    products = centred.T @ centred / n_rows
    share = float((covariance[other] @ products[other]) / (products[other] @ products[other]))
    ridge = float((np.diag(covariance) - share * np.diag(products)).mean())
    unit, eye, ones = 1.0 / (AVERSION * ridge), sparse.eye(n_assets), np.ones(n_assets)
    none, far = np.zeros(2 * n_assets), np.full(n_rows, 1e30)
    risk = AVERSION * np.concatenate([ridge * ones, np.full(n_rows, share / n_rows), none])
    linear = np.concatenate([-returns.mean(axis=0), np.zeros(n_rows), np.full(2 * n_assets, COST)])
    equal = [
        [sparse.csc_matrix(ones[None, :]), None, None, None],
        [sparse.csc_matrix(centred), -sparse.eye(n_rows), None, None],
        [eye, None, -eye, eye],
    ]
    solver = piqp.SparseSolver()
    solver.settings.verbose = False
    solver.setup(
        P=sparse.diags(risk * unit).tocsc(),
        c=linear * unit,
        A=sparse.bmat(equal).tocsc(),
        b=np.concatenate([[1.0], np.zeros(n_rows), held]),
        G=sparse.csc_matrix(np.append(np.zeros(n_assets + n_rows), none + 1.0)[None, :]),
        h_l=np.array([-1e30]),
        h_u=np.array([TURNOVER]),
        x_l=np.concatenate([0.0 * ones, -far, none]),
        x_u=np.concatenate([cap * ones, far, none + 1e30]),
    )
    solver.solve()
    return np.array(solver.result.x)[:n_assets]


def skfolio_or_reason(cap: float) -> tuple[dict[str, Fit] | None, str]:
    """Their fits, and ''; or None and why there is no comparison."""
    try:
        optimization = importlib.import_module("skfolio.optimization")
    except ImportError:
        return None, "skipped: skfolio is not installed (pip install skfolio)"
    from skfolio.moments import LedoitWolf
    from skfolio.prior import EmpiricalPrior

    aims = optimization.ObjectiveFunction
    prior = EmpiricalPrior(covariance_estimator=LedoitWolf())
    same = {"max_weights": cap, "prior_estimator": prior}
    least = optimization.MeanRisk(aims.MINIMIZE_RISK, **same)
    utility = optimization.MeanRisk(aims.MAXIMIZE_UTILITY, risk_aversion=AVERSION / 2, **same)
    ratio = optimization.MeanRisk(aims.MAXIMIZE_RATIO, **same)
    return {
        "minimum variance": lambda x, _: np.asarray(least.fit(x).weights_),
        "mean-variance": lambda x, _: np.asarray(utility.fit(x).weights_),
        "maximum Sharpe": lambda x, _: np.asarray(ratio.fit(x).weights_),
    }, ""


def clarabel(cap: float) -> dict[str, Fit]:
    """The homogenised ratio in factor form, compiled once, its parameters set anew."""
    import cvxpy as cp

    compiled: dict[tuple[int, int], Any] = {}

    def program(n_rows: int, n_assets: int) -> Any:
        y, scale = cp.Variable(n_assets, nonneg=True), cp.Variable(nonneg=True)
        rows, mean = cp.Parameter((n_rows, n_assets)), cp.Parameter(n_assets)
        ridge = cp.Parameter(nonneg=True)
        risk = cp.sum_squares(rows @ y) + cp.sum_squares(ridge * y)
        limits = [cp.sum(y) == scale, y <= cap * scale, mean @ y == 1]
        return cp.Problem(cp.Minimize(risk), limits), y, (rows, mean, ridge)

    def ratio(returns: Floats, held: Floats) -> Floats:  # noqa: ARG001 - a fit has both
        if returns.shape not in compiled:
            compiled[returns.shape] = program(*returns.shape)
        problem, y, (rows, mean, ridge) = compiled[returns.shape]
        centred = returns - returns.mean(axis=0)
        covariance = ledoit_wolf(returns)
        unit, size = 1.0 / np.diag(covariance).mean(), np.abs(returns.mean(axis=0)).max()
        share = 1.0 - covariance_shrinkage(returns)
        rows.value = centred * np.sqrt(share * unit / len(returns))
        ridge.value = np.sqrt(1.0 - share)
        mean.value = returns.mean(axis=0) / size
        problem.solve(solver="CLARABEL")
        return np.asarray(y.value / y.value.sum())

    return {"maximum Sharpe": ratio}


def covariance_shrinkage(returns: Floats) -> float:
    from sklearn.covariance import ledoit_wolf_shrinkage

    return float(ledoit_wolf_shrinkage(returns))
