import numpy as np
import pytest
from scipy import stats

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.research.outcomes import (
    DirectedEvents,
    EventOutcomes,
    PricePanel,
    forward_outcomes,
    group_contrast,
)

pytestmark = pytest.mark.slow

NAN = np.nan


def _sample(seed=0, n=120, shift=0.0):
    rng = np.random.default_rng(seed)
    bars = np.sort(rng.integers(0, 900, n))
    return EventOutcomes(rng.normal(shift, 1.0, n), bars, bars // 24, horizon_bars=3)


def _plain_error(sample, groups, weights):
    """Square root of `a' W a`, a = w (y - m) / √(n (n - 1)), W the triangle of bar distances."""
    a = np.zeros(len(groups))
    for group, weight in enumerate(weights):
        inside = groups == group
        y = sample.outcomes[inside]
        a[inside] = weight * (y - y.mean()) / np.sqrt(len(y) * (len(y) - 1))
    distance = np.abs(sample.bars[:, None] - sample.bars)
    return np.sqrt(a @ np.maximum(1 - distance / (2 * sample.horizon_bars + 1), 0) @ a)


def test_forward_outcomes_by_hand():
    prices = np.array([[0.0, 5.0], [1.0, NAN], [3.0, 4.0], [7.0, 4.5], [8.0, 2.0]])
    events = DirectedEvents(np.array([0, 0, 1, 1, 0]), np.array([0, 1, 1, 0, 2]), [1, -1, 1, 1, 1])
    panel = PricePanel(prices, np.array([0, 0, 1, 1, 2]))
    found = forward_outcomes(panel, events, horizon_bars=2, delay_bars=1)
    np.testing.assert_array_equal(found.outcomes, [6.0, -5.0, -2.0, NAN, NAN])
    assert found.days.tolist() == [0, 0, 0, 0, 1]
    now = forward_outcomes(panel, events, horizon_bars=2, delay_bars=0)
    np.testing.assert_array_equal(now.outcomes, [3.0, -6.0, NAN, -1.0, 5.0])


def test_group_contrast_of_one_group_is_the_event_effect():
    sample = _sample(shift=0.2)
    groups = np.arange(120) % 3
    alone, found = sample.part(groups == 1).effect(), group_contrast(sample, groups, [0, 1, 0])
    root = np.sqrt(40 / 39)
    assert found.mean == pytest.approx(alone.mean, rel=1e-9)
    assert found.effective_days == pytest.approx(alone.effective_days, rel=1e-9)
    assert found.standard_error == pytest.approx(alone.standard_error * root, rel=1e-9)
    p_value = 2 * stats.t.sf(abs(alone.t_value) / root, alone.effective_days - 1)
    assert found.p_value == pytest.approx(p_value, rel=1e-9)
    assert found.n_events == alone.n_events == 40


@pytest.mark.parametrize("weights", [[1.0, -1.0, 0.5], [0.25, 0.5, 0.25]])
def test_group_contrast_has_the_error_of_the_quadratic_form(weights):
    sample, groups = _sample(1), np.random.default_rng(2).integers(0, 3, 120)
    found = group_contrast(sample, groups, weights)
    means = [sample.outcomes[groups == g].mean() for g in range(3)]
    assert found.mean == pytest.approx(np.dot(weights, means), rel=1e-12)
    assert found.standard_error == pytest.approx(_plain_error(sample, groups, weights), rel=1e-9)


def test_group_contrast_of_events_far_apart_is_the_test_of_welch():
    y = np.random.default_rng(3).normal(size=50)
    bars = np.arange(50) * 100
    groups = (np.arange(50) % 5 == 0).astype(int)
    found = group_contrast(EventOutcomes(y, bars, bars, 3), groups, [-1, 1])
    welch = stats.ttest_ind(y[groups == 1], y[groups == 0], equal_var=False)
    assert found.t_value == pytest.approx(welch.statistic, rel=1e-9)
    days = (1 / 40 + 1 / 10) ** 2 / (1 / 40**3 + 1 / 10**3)  # 40 and 10 events, one a day
    assert found.effective_days == pytest.approx(days, rel=1e-9)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(found.t_value), days - 1), rel=1e-9)


def test_group_contrast_counts_a_day_once_whatever_its_groups():
    # days of 2 events of group 0 and 1 of group 1: each has an equal share of the variance
    days = np.repeat(np.arange(8), 3)
    y, groups = np.random.default_rng(4).normal(size=24), np.tile([0, 0, 1], 8)
    found = group_contrast(EventOutcomes(y, days * 50, days, 1), groups, [-1, 1])
    assert found.effective_days == pytest.approx(8.0)


def test_group_contrast_with_a_lone_event_has_no_error():
    sample = _sample()
    found = group_contrast(sample, (np.arange(120) == 7).astype(int), [-1, 1])
    assert np.isfinite(found.mean)
    assert np.isnan([found.standard_error, found.t_value, found.p_value]).all()


def test_group_contrast_leaves_out_unknown_outcomes_and_events_without_group():
    sample = _sample(4)
    groups = np.arange(120) % 2
    outcomes, given = sample.outcomes.copy(), groups.copy()
    outcomes[:6], given[6:12] = NAN, -1
    found = group_contrast(EventOutcomes(outcomes, sample.bars, sample.days, 3), given, [-1.0, 1.0])
    expected = group_contrast(sample.part(np.arange(120) >= 12), groups[12:], [-1.0, 1.0])
    assert found.mean == pytest.approx(expected.mean, rel=1e-12)
    assert found.p_value == pytest.approx(expected.p_value, rel=1e-9)
    assert (found.n_events, found.n_excluded) == (108, 6)


@pytest.mark.parametrize("scale", [1e6, 1e-8])
def test_group_contrast_scales(scale):
    sample, groups = _sample(5), np.arange(120) % 2
    scaled = EventOutcomes(sample.outcomes * scale, sample.bars, sample.days, 3)
    one, two = (group_contrast(s, groups, [-1, 1]) for s in (sample, scaled))
    assert two.mean == pytest.approx(one.mean * scale, rel=1e-9)
    assert two.p_value == pytest.approx(one.p_value, rel=1e-9)


@pytest.mark.parametrize("outcomes", [[], [NAN] * 6, [0.1] * 6, [0.1, 0.3] * 3, [NAN, 1.0] * 3])
def test_group_contrast_of_too_little_has_no_p_value(outcomes):
    bars = np.arange(len(outcomes))
    found = group_contrast(EventOutcomes(outcomes, bars, bars, 1), bars % 2, [-1, 1])
    assert np.isnan(found.p_value)


def test_rounding_of_constant_groups_is_no_evidence():
    bars, rng = np.arange(60), np.random.default_rng(0)
    for size in range(5, 50):
        same = EventOutcomes(np.full(60, rng.normal()), bars, bars, 1)
        found = group_contrast(same, (bars < size).astype(int), [-1, 1])
        assert np.isnan(found.t_value), size


def test_wrong_input_says_what():
    sample = _sample()
    with pytest.raises(DataError, match="one entry per event"):
        EventOutcomes([1.0, 2.0], [0], [0, 0], 1)
    with pytest.raises(DataError, match="event 1 has an infinite outcome"):
        EventOutcomes([NAN, -np.inf], [0, 1], [0, 0], 1)
    with pytest.raises(DataError, match="groups of dtype bool"):
        group_contrast(sample, np.full(120, fill_value=True), [1.0, -1.0])
    with pytest.raises(DataError, match="do not fit"):
        group_contrast(sample, np.full(120, 2), [1.0, -1.0])
    panel = PricePanel(np.zeros((4, 1)), np.zeros(4, dtype=int))
    one = DirectedEvents(np.array([0]), np.array([1]), np.array([1]))
    with pytest.raises(ConfigError, match="horizon_bars 0"):
        forward_outcomes(panel, one, horizon_bars=0)
    with pytest.raises(DataError, match="direction"):
        forward_outcomes(panel, DirectedEvents(one.symbol, one.bar, [0]), horizon_bars=1)
    with pytest.raises(DataError, match="bars run from 4"):
        forward_outcomes(panel, DirectedEvents(one.symbol, [4], [1]), horizon_bars=1)
