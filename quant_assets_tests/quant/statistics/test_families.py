import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.core.errors import DataError
from quant_assets.quant.statistics.families import pooled, two_level, within
from quant_assets.quant.statistics.multiplicity import benjamini_hochberg

pytestmark = pytest.mark.slow

NAN = np.nan


def test_two_level_by_hand():
    # Simes: a .02 (2 x .01), b .5 (.25 x 2), c .4; over 3 families at .1: a alone, .06.
    # Inside a: .01 .04 -> .02 .04, times 3 / 1 = .06 .12.
    p = [0.01, 0.04, 0.25, 0.6, 0.4]
    result = two_level(p, ["a", "a", "b", "b", "c"], fdr=0.1)
    assert result.rejected.tolist() == [True, False, False, False, False]
    np.testing.assert_allclose(result.adjusted, [0.06, 0.12, 1.0, 1.0, 1.0])
    np.testing.assert_allclose(result.family_p_values, [0.02, 0.5, 0.4])
    assert result.families == ("a", "b", "c")
    assert result.selected.tolist() == [True, False, False]
    assert (result.n_selected, result.n_rejected, result.family) == (1, 1, "two_level")
    assert result.family_rejected.tolist() == [1, 0, 0]


def test_pooled_and_within_by_hand_name_their_family():
    p = [0.02, 0.04, 0.06, 0.9]
    families = [1, 1, 2, 2]
    one, each = pooled(p, families, fdr=0.1), within(p, families, fdr=0.1)
    np.testing.assert_allclose(one.adjusted, [0.08, 0.08, 0.08, 0.9])
    np.testing.assert_allclose(each.adjusted, [0.04, 0.04, 0.12, 0.9])
    assert (one.family, each.family) == ("pooled", "within")
    assert one.family_rejected.tolist() == [2, 1]
    assert each.family_rejected.tolist() == [2, 0]


def test_families_without_a_tested_hypothesis_do_not_count():
    p, families = np.array([0.01, NAN, NAN, 0.3]), np.array([0, 0, 1, 2])
    result = two_level(p, families, fdr=0.1)
    assert np.isnan(result.family_p_values[1])
    assert (result.n_tested, result.n_excluded) == (2, 2)
    # two families are tested, not three: adjusted .02, so selected
    np.testing.assert_allclose(result.adjusted, [0.02, NAN, NAN, 0.6])


def test_families_keep_the_shape_and_need_one_label_each():
    p = np.random.default_rng(0).random((2, 3, 4))
    labels = np.broadcast_to(np.arange(3)[:, None], p.shape)
    result = two_level(p, labels, fdr=0.5)
    assert result.adjusted.shape == result.rejected.shape == p.shape
    np.testing.assert_array_equal(
        result.adjusted.ravel(), two_level(p.ravel(), labels.ravel(), fdr=0.5).adjusted
    )
    with pytest.raises(DataError, match="one label per hypothesis"):
        two_level(p, labels[0], fdr=0.1)


@pytest.mark.parametrize("rule", [two_level, pooled, within])
def test_rules_of_nothing_reject_nothing(rule):
    result = rule([], [], fdr=0.1)
    assert (result.n_tested, result.n_rejected, result.families) == (0, 0, ())


def _two_level_by_sets(p, families, q):
    """The definition, with sets: Benjamini-Hochberg as the largest k with p_(k) <= k q / m."""

    def step_up(values, level):
        ordered = sorted(values)
        sizes = [
            k for k in range(1, len(ordered) + 1) if ordered[k - 1] <= k * level / len(ordered)
        ]
        return ordered[max(sizes) - 1] if sizes else -1.0

    names = sorted(set(families))
    inside = {name: [x for x, f in zip(p, families, strict=True) if f == name] for name in names}
    simes = {
        name: min(x * len(inside[name]) / (k + 1) for k, x in enumerate(sorted(inside[name])))
        for name in names
    }
    bound = step_up(simes.values(), q)
    chosen = [name for name in names if simes[name] <= bound]
    bounds = {name: step_up(inside[name], q * len(chosen) / len(names)) for name in chosen}
    return [f in bounds and x <= bounds[f] for x, f in zip(p, families, strict=True)]


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.tuples(st.integers(1, 997), st.integers(0, 4)), min_size=1, max_size=25),
    st.sampled_from([0.0537, 0.1213, 0.3191]),
)
def test_two_level_equals_its_definition(rows, q):
    p, families = [(row[0] / 1009) ** 2 for row in rows], [row[1] for row in rows]
    result = two_level(p, families, fdr=q)
    assert result.rejected.tolist() == _two_level_by_sets(p, families, q)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_one_family_makes_the_rules_equal_to_benjamini_hochberg(p):
    expected = benjamini_hochberg(p, fdr=0.2)
    for rule in (two_level, pooled, within):
        result = rule(p, np.zeros(len(p)), fdr=0.2)
        np.testing.assert_array_equal(result.rejected, expected.rejected)
