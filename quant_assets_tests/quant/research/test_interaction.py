import numpy as np
import pytest
from scipy import stats

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.research.interaction import interaction_lift, interaction_scan
from quant_assets.quant.research.outcomes import EventOutcomes, group_contrast

pytestmark = pytest.mark.slow

RUNS = 300


def _market(rng, n=600, overlap=6):
    """Outcomes with a shock per day and overlapping windows, and two conditions."""
    bars = np.sort(rng.integers(0, 24 * 300, n))
    days = bars // 24
    path = np.cumsum(rng.normal(size=24 * 300 + overlap + 1))
    outcomes = path[bars + overlap] - path[bars] + rng.normal(size=300)[days]
    return EventOutcomes(outcomes, bars, days, overlap), rng.random((2, n)) < 0.5


def _with(sample, added):
    return EventOutcomes(sample.outcomes + added, sample.bars, sample.days, sample.horizon_bars)


def test_interaction_lift_by_hand():
    # both 5, 7; first 1, 3; second 4, 2; neither 0, 0 (one more is not known)
    outcomes = np.array([5.0, 1.0, 4.0, 0.0, 7.0, 3.0, 2.0, 0.0, np.nan])
    first = np.array([1, 1, 0, 0, 1, 1, 0, 0, 1], dtype=bool)
    second = np.array([1, 0, 1, 0, 1, 0, 1, 0, 1], dtype=bool)
    bars = np.arange(9) * 10
    found = interaction_lift(EventOutcomes(outcomes, bars, bars, 1), first, second, min_events=2)
    assert (found.n_both, found.n_first, found.n_second, found.n_neither) == (2, 2, 2, 2)
    assert (found.mean_both, found.mean_first, found.mean_second) == (6.0, 2.0, 3.0)
    assert found.lift == 3.0
    assert found.standard_error == pytest.approx(np.sqrt(2))  # variance 2, two events, two sides
    assert found.t_value == pytest.approx(3 / np.sqrt(2))
    assert found.p_value == pytest.approx(stats.t.sf(3 / np.sqrt(2), 3), rel=1e-9)  # four days
    assert found.interaction == 6.0 - 2.0 - 3.0 + 0.0


def test_the_worse_comparison_decides():
    sample, (first, second) = _market(np.random.default_rng(0))
    found = interaction_lift(_with(sample, 2.0 * second), first, second)
    cell = 2 * second + first
    over_first = group_contrast(_with(sample, 2.0 * second), cell, [0, -1, 0, 1])
    over_second = group_contrast(_with(sample, 2.0 * second), cell, [0, 0, -1, 1])
    assert over_second.p_value > over_first.p_value
    assert found.lift == over_second.mean
    half = over_second.p_value / 2
    assert found.p_value == pytest.approx(half if over_second.t_value > 0 else 1 - half)
    swapped = interaction_lift(_with(sample, 2.0 * second), second, first)
    assert swapped.p_value == found.p_value


def test_a_planted_interaction_is_found():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(40):
        sample, (first, second) = _market(rng)
        found.append(interaction_lift(_with(sample, 2.0 * (first & second)), first, second))
    assert np.mean([f.p_value < 0.05 for f in found]) > 0.9
    assert np.mean([f.lift for f in found]) == pytest.approx(2.0, abs=0.3)
    assert np.mean([f.interaction for f in found]) == pytest.approx(2.0, abs=0.3)


@pytest.mark.parametrize("strength", [0.0, 5.0])
def test_no_interaction_is_invented(strength):
    # strength 5: the first condition alone explains everything, the least favourable null
    rng = np.random.default_rng(2)
    lifts, interactions = [], []
    for _ in range(RUNS):
        sample, (first, second) = _market(rng)
        found = interaction_lift(_with(sample, strength * first), first, second)
        lifts.append(found.p_value < 0.05)
        interactions.append(found.interaction_p_value < 0.05)
    bound = 0.05 + 2 * np.sqrt(0.05 * 0.95 / RUNS)
    assert np.mean(lifts) <= bound
    assert np.mean(interactions) <= bound
    if strength:
        assert np.mean(lifts) > 0.01  # the test is not simply deaf


def test_two_effects_that_add_up_are_a_lift_but_no_interaction():
    sample, (first, second) = _market(np.random.default_rng(3), n=2_000)
    found = interaction_lift(_with(sample, 2.0 * first + 2.0 * second), first, second)
    assert found.p_value < 0.01
    assert found.interaction_p_value > 0.05


def test_scan_claims_the_planted_pair_alone():
    rng = np.random.default_rng(4)
    sample, (first, second) = _market(rng, n=1_500)
    noise = rng.random((2, 1_500)) < 0.5
    conditions = {"a": first, "b": second, "c": noise[0], "d": noise[1], "rare": sample.bars < 9}
    table = interaction_scan(_with(sample, 2.5 * (first & second)), conditions)
    assert len(table) == 10
    assert table.index[table["claimed"]].tolist() == [("a", "b")]
    assert table["p_value"].isna().sum() == 4
    assert (table["adjusted_p_value"] >= table["p_value"])[table["p_value"].notna()].all()
    alone = interaction_lift(_with(sample, 2.5 * (first & second)), first, second)
    assert table.loc[("a", "b"), "p_value"] == alone.p_value


def test_too_few_events_are_not_tested():
    sample, (first, second) = _market(np.random.default_rng(5), n=100)
    found = interaction_lift(sample, first, second, min_events=50)
    assert np.isnan(found.p_value)
    assert np.isfinite(found.lift)
    none = interaction_lift(sample, first, ~first, min_events=1)
    assert none.n_both == 0
    assert np.isnan(none.lift)
    assert np.isnan(none.p_value)


def test_wrong_input_says_what():
    sample, (first, second) = _market(np.random.default_rng(6))
    with pytest.raises(DataError, match="dtype int64"):
        interaction_lift(sample, first.astype(int), second)
    with pytest.raises(DataError, match="each of 600 events"):
        interaction_lift(sample, first[1:], second)
    with pytest.raises(ConfigError, match="makes no pair"):
        interaction_scan(sample, {"a": first})
