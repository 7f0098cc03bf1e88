"""What holds for every public function of returns, found by its first parameter."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant import analytics

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
N = 60
MATRIX = RNG.standard_t(4, (N, 4)) * 0.01 + 3e-4
MARKET = RNG.standard_t(5, N) * 0.01
GIVEN = {"periods_per_year": 252, "benchmark": MARKET, "window": 12}
OTHERS = {"performance_table", "drawdown_table", "monthly_returns", "annual_returns"}  # own tests


def figures():
    """Name -> function, of those that take returns and what `GIVEN` or a default provides."""
    found = {}
    for name in analytics.__all__:
        function = getattr(analytics, name)
        if not inspect.isfunction(function) or name in OTHERS:
            continue
        parameters = inspect.signature(function).parameters
        needed = [p for p in parameters.values() if p.default is p.empty]
        if next(iter(parameters), "") == "returns" and all(p.name in GIVEN for p in needed[1:]):
            found[name] = function
    return found


FIGURES = figures()


def call(name, returns, rows=slice(None)):
    parameters = inspect.signature(FIGURES[name]).parameters
    inputs = {key: value for key, value in GIVEN.items() if key in parameters}
    if "benchmark" in inputs:
        inputs["benchmark"] = MARKET[rows]
    found = FIGURES[name](returns, **inputs)
    return np.array(found) if isinstance(found, tuple) else np.asarray(found)


def test_no_module_imports_by_way_of_a_lazy_package():
    """It would have the code of the whole package in its own code version."""
    lazy = re.compile(r"^ *from quant_assets\.quant\.(analytics|statistics) import", re.MULTILINE)
    folder = Path(analytics.__path__[0])
    assert [f.name for f in folder.glob("*.py") if lazy.search(f.read_text("utf-8"))] == []


def test_every_family_is_found():
    assert len(FIGURES) > 40
    assert {"sharpe_ratio", "rolling_beta", "up_capture", "modified_value_at_risk"} <= set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_one_series_and_its_column_agree_to_the_bit(name):
    whole = call(name, MATRIX)
    for column in range(4):
        alone = call(name, np.ascontiguousarray(MATRIX[:, column]))
        np.testing.assert_array_equal(alone, whole[..., column])


@pytest.mark.parametrize("name", FIGURES)
def test_permuted_strategies_have_permuted_figures(name):
    order = [2, 0, 3, 1]
    np.testing.assert_array_equal(call(name, MATRIX[:, order]), call(name, MATRIX)[..., order])


@pytest.mark.parametrize("name", FIGURES)
def test_infinities_are_refused(name):
    returns = MATRIX.copy()
    returns[7, 2] = np.inf
    with pytest.raises(DataError, match=r"infinite returns|returns are infinite"):
        call(name, returns)


@pytest.mark.parametrize("name", FIGURES)
def test_the_input_stays_as_it_was_and_may_be_read_only(name):
    returns = MATRIX.copy()
    returns.setflags(write=False)
    call(name, returns)
    np.testing.assert_array_equal(returns, MATRIX)


EDGES = {
    "empty": MATRIX[:0],
    "one row": MATRIX[:1],
    "all NaN": np.full((20, 4), np.nan),
    "zeros": np.zeros((20, 4)),
    "constant": np.full((20, 4), 1e-3),
    "NaN in the middle": np.where(np.arange(N)[:, None] == 30, np.nan, MATRIX),
    "large": np.abs(MATRIX) * 1e6,
    "small": MATRIX * 1e-6,
    "total loss": np.where(np.arange(N)[:, None] == 30, -1.0, MATRIX),
}


@pytest.mark.parametrize("name", FIGURES)
def test_edges_give_numbers_or_nan_without_a_warning(name):
    for edge, returns in EDGES.items():
        found = call(name, returns, slice(len(returns)))
        assert found.shape[-1] == 4, edge
        if edge == "all NaN" and name not in {"total_return", "drawdown_duration"}:
            assert np.isnan(found).all()


SCALE_FREE = {"sharpe_ratio", "hit_rate", "skewness", "kurtosis", "beta", "correlation"}
SCALE_FREE |= {"profit_factor", "tail_ratio", "omega_ratio", "sortino_ratio", "r_squared"}
SCALE_FREE |= {"rolling_sharpe", "rolling_sortino", "rolling_hit_rate", "rolling_correlation"}


@pytest.mark.parametrize("name", sorted(SCALE_FREE - {"beta"}))
@pytest.mark.parametrize("scale", [1e6, 1e-6])
def test_figures_without_a_unit_do_not_depend_on_the_scale(name, scale):
    np.testing.assert_allclose(call(name, MATRIX * scale), call(name, MATRIX), rtol=1e-8)
