"""Risk parity, hierarchical risk parity and minimum CVaR a window at a time, beside their peers."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from benchmarks._peers import require_equal, timed
from benchmarks.page import Row
from quant_assets.quant.moments.covariance import ledoit_wolf
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.equal_risk_contribution import EqualRiskContribution
from quant_assets.quant.optimization.hierarchical_risk_parity import HierarchicalRiskParity
from quant_assets.quant.optimization.minimum_cvar import MinimumCVaR
from quant_assets.quant.optimization.solvers.tail import tail_mean_loss

TITLE = "Risk optimizers on 500 assets (CVaR: 100, at most 5 % each), 252 rows a window, one thread"
TARGET = "per window: risk parity 0.005 and hierarchical 0.02 of skfolio's time, CVaR 0.7 of HiGHS"
ASSETS, QUICK_ASSETS, WINDOWS = 500, 30, 12
TAIL_ASSETS, CAP, TAIL = 100, 0.05, 252 * 0.05
NAMES = ("ours", "HiGHS directly")
Floats = npt.NDArray[np.float64]
Fit = Callable[[Floats], Floats]


def measure(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001 - writes nothing
    size = QUICK_ASSETS if quick else ASSETS
    wide, narrow = windows(size), windows(min(size, TAIL_ASSETS))
    ways: dict[str, tuple[list[Floats], Fit]] = {
        "risk parity, ours": (wide, ours(EqualRiskContribution)),
        "hierarchical, ours": (wide, ours(HierarchicalRiskParity, covariance="sample")),
        "hierarchical of correlations, ours": (
            wide,
            ours(HierarchicalRiskParity, covariance="sample", distance="of_correlations"),
        ),
        "CVaR, ours": (narrow, ours(MinimumCVaR, constraints=Constraints(upper=CAP))),
        "CVaR, HiGHS directly": (narrow, highs),
    }
    skfolio, reason = skfolio_or_reason()
    if skfolio is not None:
        ways["risk parity, skfolio"] = (wide[:1], skfolio["risk parity"])
        ways["hierarchical of correlations, skfolio"] = (wide[:1], skfolio["hierarchical"])
    with threadpool_limits(1):
        check(ways)
        calls = {name: _all(*way) for name, way in ways.items()}
        timings = timed(calls, 1 if quick else 3)
    each = {name: timing.typical / len(ways[name][0]) for name, timing in timings.items()}
    peers = {
        "risk parity": each.get("risk parity, skfolio"),
        "hierarchical": each.get("hierarchical of correlations, skfolio"),
        "hierarchical of correlations": each.get("hierarchical of correlations, skfolio"),
        "CVaR": each["CVaR, HiGHS directly"],
    }
    rows: list[Row] = []
    for name, timing in timings.items():
        peer = peers[name.split(",", maxsplit=1)[0]]
        rows.append(
            {
                "way": name,
                "windows": len(ways[name][0]),
                "CPU ms per window": 1e3 * each[name],
                "extra peak MB": timing.megabytes,
                "times the peer": each[name] / peer if peer else reason,
            }
        )
    return rows


def windows(n_assets: int) -> list[Floats]:
    """Twelve training spans of daily returns, 21 rows apart, with one common factor."""
    rng = np.random.default_rng(0)
    n_rows = 252 + 21 * (WINDOWS - 1)
    common = 0.008 * rng.standard_normal((n_rows, 1)) * rng.uniform(0.5, 1.5, n_assets)
    returns = common + rng.uniform(0.01, 0.03, n_assets) * rng.standard_t(5, (n_rows, n_assets))
    # by falling variance, so that peers that break ties by column agree
    returns = np.ascontiguousarray(returns[:, np.argsort(-returns[:252].var(axis=0))])
    return [returns[21 * k : 21 * k + 252] for k in range(WINDOWS)]


def ours(kind: Any, **parameters: Any) -> Fit:
    return lambda returns: np.asarray(kind(**parameters).fit(returns).weights_)


def highs(returns: Floats) -> Floats:
    """Rockafellar and Uryasev's program, without presolve: that is faster here."""
    import highspy
    from scipy import sparse

    n_rows, n_assets = returns.shape
    solver, program = highspy.Highs(), highspy.HighsLp()
    solver.silent()
    solver.setOptionValue("presolve", "off")
    tied = np.hstack([returns, np.ones((n_rows, 1))])
    total = np.concatenate([np.ones(n_assets), np.zeros(1 + n_rows)])[None, :]
    matrix = sparse.vstack(
        [sparse.hstack([sparse.csr_matrix(tied), sparse.eye(n_rows)]), sparse.csr_matrix(total)]
    ).tocsc()
    program.num_col_, program.num_row_ = matrix.shape[1], matrix.shape[0]
    program.col_cost_ = np.concatenate([np.zeros(n_assets), [1.0], np.full(n_rows, 1.0 / TAIL)])
    program.col_lower_ = np.concatenate([np.zeros(n_assets), [-1e30], np.zeros(n_rows)])
    program.col_upper_ = np.concatenate([np.full(n_assets, CAP), np.full(1 + n_rows, 1e30)])
    program.row_lower_ = np.append(np.zeros(n_rows), 1.0)
    program.row_upper_ = np.append(np.full(n_rows, 1e30), 1.0)
    program.a_matrix_.start_ = matrix.indptr
    program.a_matrix_.index_ = matrix.indices
    program.a_matrix_.value_ = matrix.data
    solver.passModel(program)
    solver.run()
    return np.array(solver.getSolution().col_value)[:n_assets]


def skfolio_or_reason() -> tuple[dict[str, Fit] | None, str]:
    """Their fits, and ''; or None and why there is no comparison."""
    try:
        optimization = importlib.import_module("skfolio.optimization")
    except ImportError:
        return None, "skipped: skfolio is not installed (pip install skfolio)"
    from skfolio.cluster import HierarchicalClustering, LinkageMethod
    from skfolio.moments import LedoitWolf
    from skfolio.prior import EmpiricalPrior
    from skfolio.seriation import HierarchicalSeriation

    prior = EmpiricalPrior(covariance_estimator=LedoitWolf())
    single = HierarchicalClustering(linkage_method=LinkageMethod.SINGLE)
    order = HierarchicalSeriation(optimal_ordering=False, hierarchical_clustering_estimator=single)
    parity = optimization.RiskBudgeting(prior_estimator=prior)
    tree = optimization.HierarchicalRiskParity(seriation_estimator=order)
    return {
        "risk parity": lambda returns: np.asarray(parity.fit(returns).weights_),
        "hierarchical": lambda returns: np.asarray(tree.fit(returns).weights_),
    }, ""


def check(ways: dict[str, tuple[list[Floats], Fit]]) -> None:
    """Raise when the ways do not answer alike in the first window."""
    answers = {name: fit(spans[0]) for name, (spans, fit) in ways.items()}
    narrow = ways["CVaR, ours"][0][0]
    losses = (tail_mean_loss(narrow @ answers[f"CVaR, {who}"], TAIL) for who in NAMES)
    require_equal("CVaR", *losses)
    wide, weights = ways["risk parity, ours"][0][0], answers["risk parity, ours"]
    shares = weights * (ledoit_wolf(wide) @ weights)
    if np.ptp(shares / shares.sum()) > 1e-6:
        raise RuntimeError(f"risk shares differ by {np.ptp(shares / shares.sum()):g}")
    theirs = answers.get("hierarchical of correlations, skfolio")
    if theirs is not None:
        apart = float(np.abs(theirs - answers["hierarchical of correlations, ours"]).max())
        require_equal("hierarchical", 1.0 + apart, 1.0)


def _all(spans: list[Floats], fit: Fit) -> Callable[[], object]:
    return lambda: [fit(span) for span in spans]
