"""The fast paths on real stocks: windows of 32 years, and more stocks than rows."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.moments.covariance import ledoit_wolf
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.constraints.transaction_cost import TransactionCost
from quant_assets.quant.optimization.constraints.turnover_limit import TurnoverLimit
from quant_assets.quant.optimization.maximum_sharpe import MaximumSharpe
from quant_assets.quant.optimization.mean_variance import MeanVariance
from quant_assets.quant.optimization.minimum_variance import MinimumVariance
from quant_assets.quant.optimization.solvers import convex
from quant_assets.quant.optimization.solvers.active_set import scaled
from quant_assets_tests.adapters.real_files import real_folder

pytestmark = pytest.mark.slow
AVERSION = 10.0


def long_history() -> np.ndarray:
    """Daily returns of 20 stocks of the S&P 500, 1990 to 2022."""
    from skfolio.datasets import load_sp500_dataset

    return load_sp500_dataset().pct_change().to_numpy()[1:]


def many_stocks() -> np.ndarray:
    """Forty rows of daily returns of 40 and more stocks."""
    files = sorted((real_folder() / "us_equities" / "stocknet").glob("*.csv.gz"))
    series = [pd.read_csv(file, index_col=0).iloc[:, 4].rename(file.name) for file in files]
    table = pd.concat(series, axis=1).sort_index().dropna()
    return table.pct_change().to_numpy()[1:41]


def windows() -> list[np.ndarray]:
    history = long_history()
    return [history[start : start + 252] for start in range(0, len(history) - 252, 650)]


@pytest.mark.parametrize("kind", ["long", "wide"])
def test_real_windows_agree_with_clarabel(kind):
    spans = windows() if kind == "long" else [many_stocks()]
    box = Constraints(upper=0.2)
    assert any(n_assets > n_rows for n_rows, n_assets in (span.shape for span in spans)) == (
        kind == "wide"
    )
    for returns in spans:
        covariance, mean = ledoit_wolf(returns), returns.mean(axis=0)
        hessian, factor = scaled(covariance)
        region = box.region(returns.shape[1])

        report = MinimumVariance(constraints=box).fit(returns).solver_report_
        theirs = convex.quadratic(hessian, 0 * mean, region).weights
        assert report.objective == pytest.approx(theirs @ covariance @ theirs, rel=1e-8)
        assert report.gap <= 1e-8

        fitted = MeanVariance(constraints=box, risk_aversion=AVERSION).fit(returns)
        theirs = convex.quadratic(hessian, mean * factor / AVERSION, region).weights
        utility = mean @ theirs - AVERSION / 2 * theirs @ covariance @ theirs
        assert fitted.solver_report_.objective == pytest.approx(utility, rel=1e-8)
        assert fitted.solver_report_.gap <= 1e-8

        report = MaximumSharpe(constraints=box).fit(returns).solver_report_
        theirs = convex.maximum_ratio(hessian, mean / np.abs(mean).max(), region).weights
        ratio = mean @ theirs / np.sqrt(theirs @ covariance @ theirs)
        assert report.objective == pytest.approx(ratio, rel=1e-8)
        assert report.gap <= 1e-8


def test_real_chain_keeps_its_turnover_and_agrees_with_clarabel():
    held = np.full(20, 0.05)
    for returns in windows():
        rules = (TurnoverLimit(held, 0.3), TransactionCost(held, 0.0001))
        limits = Constraints(upper=0.2, rules=rules)
        fitted = MeanVariance(constraints=limits, risk_aversion=AVERSION).fit(returns)
        report = fitted.solver_report_
        assert (report.solver, report.fallback) == ("active set", "")
        hessian, factor = scaled(ledoit_wolf(returns))
        unit = factor / AVERSION
        linear = returns.mean(axis=0) * unit
        theirs = convex.quadratic(hessian, linear, limits.region(20), cost_unit=unit).weights

        def utility(weights: np.ndarray, returns=returns, rule=rules[1]) -> float:
            risk = weights @ ledoit_wolf(returns) @ weights
            gain = returns.mean(axis=0) @ weights
            return float(gain - AVERSION / 2 * risk - rule.cost(weights))

        assert report.objective == pytest.approx(utility(fitted.weights_), rel=1e-12)
        assert report.objective == pytest.approx(utility(theirs), rel=1e-7)
        assert np.abs(fitted.weights_ - held).sum() <= 0.3 + 1e-12
        held = fitted.weights_


def test_real_windows_in_another_order_give_the_same_bytes():
    spans = windows()
    optimizer = MeanVariance(constraints=Constraints(upper=0.1))
    forward = [optimizer.fit(span).weights_.tobytes() for span in spans]
    backward = [optimizer.fit(span).weights_.tobytes() for span in reversed(spans)]
    assert forward == backward[::-1]
    assert all(one != other for one, other in pairwise(forward))
