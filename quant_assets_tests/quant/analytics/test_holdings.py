"""Turnover, contributions and linking, by hand and by their identities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.analytics.holdings import instrument_contributions, turnover
from quant_assets.quant.analytics.linking import link_effects

RNG = np.random.default_rng(0)
WEIGHTS = RNG.dirichlet(np.ones(4), 60)[:, :3] - 0.1
RETURNS = RNG.normal(5e-4, 0.02, (60, 3))
METHODS = ["carino", "menchero"]


def test_turnover_is_against_drifted_weights():
    # half in an asset that doubles: it drifts to 2/3; back to half sells 1/6
    found = turnover([[0.5, 0.0], [0.5, 0.5]], [[1.0, 0.0], [0.0, 0.0]])
    assert found.tolist() == pytest.approx([0.5, 1 / 6 + 0.5])


def test_turnover_of_weights_that_only_drift_is_zero():
    weights = [np.array([0.3, -0.2, 0.6])]
    for row in RETURNS[:-1]:
        weights.append(weights[-1] * (1 + row) / (1 + weights[-1] @ row))
    found = turnover(np.array(weights), RETURNS)
    assert found[0] == pytest.approx(1.1)
    assert found[1:] == pytest.approx(np.zeros(59), abs=1e-14)


def test_turnover_of_no_rows_is_empty():
    assert turnover(np.empty((0, 2)), np.empty((0, 2))).shape == (0,)


def test_lost_equity_has_no_turnover():
    with pytest.raises(DataError, match="equity is lost in row 1"):
        turnover([[1.0], [1.0]], [[0.1], [-1.0]])


def test_a_return_is_needed_only_for_what_is_held():
    found = turnover([[0.0, 1.0], [0.0, 1.0]], [[np.nan, 0.1], [np.nan, 0.1]])
    assert found.tolist() == [1.0, 0.0]
    with pytest.raises(DataError, match=r"1 cells lack .* the first is row 1, column 0"):
        turnover([[0.0, 1.0], [0.1, 0.9]], [[np.nan, 0.1], [np.nan, 0.1]])
    with pytest.raises(DataError, match="weight nan"):
        turnover([[np.nan]], [[0.1]])
    with pytest.raises(DataError, match=r"alike, found \(1, 2\), \(2, 2\)"):
        turnover([[0.5, 0.5]], RETURNS[:2, :2])


def test_contributions_sum_to_the_return_of_each_period_and_of_all():
    found = instrument_contributions(WEIGHTS, RETURNS, 1e-4)
    cash = 1 - WEIGHTS.sum(axis=1)
    portfolio = (WEIGHTS * RETURNS).sum(axis=1) + cash * 1e-4
    np.testing.assert_allclose(found.portfolio, portfolio, rtol=1e-12)
    np.testing.assert_allclose(found.per_period.sum(axis=1), portfolio, atol=1e-16)
    total = np.prod(1 + portfolio) - 1
    assert found.total_return == pytest.approx(total, rel=1e-12)
    assert found.linked.sum() == pytest.approx(total, rel=1e-12)


def test_contribution_of_a_single_period_is_weight_times_return():
    found = instrument_contributions(WEIGHTS[:1], RETURNS[:1])
    np.testing.assert_allclose(found.linked[:3], WEIGHTS[0] * RETURNS[0], rtol=1e-12)
    assert found.linked[3] == 0.0


def test_permuted_instruments_have_permuted_contributions():
    order = [2, 0, 1]
    whole = instrument_contributions(WEIGHTS, RETURNS).linked
    found = instrument_contributions(WEIGHTS[:, order], RETURNS[:, order]).linked
    np.testing.assert_allclose(found[:3], whole[order], rtol=1e-12)


def test_carino_by_hand():
    # periods 10 % against 5 %, and 20 % against 20 %
    p, b = np.array([0.1, 0.2]), np.array([0.05, 0.2])
    total = 1.1 * 1.2 - 1.05 * 1.2
    k = (np.log(1.1 * 1.2) - np.log(1.05 * 1.2)) / total
    first = (np.log(1.1) - np.log(1.05)) / 0.05 / k
    found = link_effects(np.array([[0.02, 0.03], [0.01, -0.01]]), p, b)
    second = (1 / 1.2) / k
    assert found.tolist() == pytest.approx(
        [0.02 * first + 0.01 * second, 0.03 * first - 0.01 * second]
    )
    assert found.sum() == pytest.approx(total, rel=1e-12)


def test_menchero_by_hand():
    p, b = np.array([0.1, 0.0]), np.array([0.0, 0.05])
    active, total = p - b, 1.1 - 1.05
    common = total / 2 / (np.sqrt(1.1) - np.sqrt(1.05))
    left = (total - common * active.sum()) / (active @ active)
    expected = (common + left * active) @ active
    found = link_effects(active[:, None], p, b, "menchero")
    assert found.tolist() == pytest.approx([expected])
    assert expected == pytest.approx(total)


@pytest.mark.parametrize("method", METHODS)
def test_linking_where_nothing_was_active_is_zero(method):
    p = np.array([0.1, -0.2, 0.05])
    effects = np.array([[0.01, -0.01], [0.0, 0.0], [0.02, -0.02]])
    found = link_effects(effects, p, p, method)
    assert found.sum() == pytest.approx(0.0, abs=1e-16)
    assert found[0] > 0.0


PERIODS = st.integers(1, 30).flatmap(
    lambda n: hnp.arrays(np.float64, (2, n), elements=st.floats(-0.5, 0.5))
)


@settings(max_examples=40, deadline=None)
@given(PERIODS, st.sampled_from(METHODS))
def test_linked_effects_sum_to_the_compounded_active_return(series, method):
    p, b = series
    share = np.linspace(-1.0, 2.0, len(p))
    effects = np.column_stack([share * (p - b), (1 - share) * (p - b)])
    expected = np.prod(1 + p) - np.prod(1 + b)
    scale = max(1.0, np.prod(1 + np.abs(p)), np.prod(1 + np.abs(b)))
    assert link_effects(effects, p, b, method).sum() == pytest.approx(expected, abs=1e-12 * scale)


def test_what_cannot_be_linked_is_refused():
    with pytest.raises(DataError, match=r"a period returned -100.00%"):
        link_effects([[0.1]], [-1.0], [0.0])
    with pytest.raises(DataError, match="differ"):
        link_effects([[0.1]], [0.1, 0.2], [0.0, 0.1])
    with pytest.raises(ConfigError, match="no linking method 'cariño'; known: carino, menchero"):
        link_effects([[0.1]], [0.1], [0.0], "cariño")
