import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.statistics.multiplicity import (
    benjamini_hochberg,
    benjamini_yekutieli,
    bonferroni,
    holm,
    simes,
)

NAN = np.nan
PROCEDURES = {
    "fdr_bh": lambda p: benjamini_hochberg(p, fdr=0.1),
    "fdr_by": lambda p: benjamini_yekutieli(p, fdr=0.1),
    "bonferroni": lambda p: bonferroni(p, fwer=0.1),
    "holm": lambda p: holm(p, fwer=0.1),
}
each = pytest.mark.parametrize("procedure", PROCEDURES.values(), ids=PROCEDURES)


def test_benjamini_hochberg_by_hand_takes_the_least_later_ratio():
    # sorted .01 .02 .03 .5: times 4/1, 4/2, 4/3, 1 = .04 .04 .04 .5
    result = benjamini_hochberg([0.03, 0.5, 0.01, 0.02], fdr=0.04)
    np.testing.assert_allclose(result.adjusted, [0.04, 0.5, 0.04, 0.04])
    assert result.rejected.tolist() == [True, False, True, True]
    assert (result.n_tested, result.n_excluded, result.n_rejected) == (4, 0, 3)


def test_benjamini_yekutieli_by_hand_pays_the_harmonic_sum():
    # 1 + 1/2 = 1.5; .1 .2: .2 .2 times 1.5
    result = benjamini_yekutieli([0.1, 0.2], fdr=0.3)
    np.testing.assert_allclose(result.adjusted, [0.3, 0.3])


def test_holm_and_bonferroni_by_hand():
    p = [0.01, 0.04, 0.03]
    np.testing.assert_allclose(holm(p, fwer=0.05).adjusted, [0.03, 0.06, 0.06])
    np.testing.assert_allclose(bonferroni(p, fwer=0.05).adjusted, [0.03, 0.12, 0.09])


def test_simes_by_hand_and_without_a_test():
    assert simes([0.03, 0.5, NAN, 0.02]) == pytest.approx(0.03 * 3 / 2)
    assert np.isnan(simes([NAN, NAN]))


@each
def test_procedure_excludes_nan_and_counts_it(procedure):
    p = np.array([[0.001, NAN, 0.2], [NAN, 0.03, 0.8]])
    result, without = procedure(p), procedure(p[~np.isnan(p)])
    np.testing.assert_array_equal(result.adjusted[~np.isnan(p)], without.adjusted)
    assert np.isnan(result.adjusted[np.isnan(p)]).all()
    assert not result.rejected[np.isnan(p)].any()
    assert (result.n_tested, result.n_excluded) == (4, 2)
    assert result.family == "pooled"


@each
@pytest.mark.parametrize("p", [[], [NAN, NAN]])
def test_procedure_without_tests_rejects_nothing(procedure, p):
    result = procedure(p)
    assert (result.n_tested, result.n_rejected, result.n_excluded) == (0, 0, len(p))


@each
@pytest.mark.parametrize("bad", [-1e-9, 1.0 + 1e-9, np.inf, -np.inf])
def test_procedure_with_an_impossible_p_value_names_it(procedure, bad):
    with pytest.raises(DataError, match="position 1 is outside"):
        procedure([0.5, bad])


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 5.0, NAN])
def test_procedure_with_an_impossible_level_is_refused(level):
    with pytest.raises(ConfigError, match="error rate"):
        benjamini_hochberg([0.5], fdr=level)


p_values = st.lists(
    st.one_of(
        st.integers(0, 10**6).map(lambda k: (k / 10**6) ** 3),
        st.sampled_from([0.0, 0.01, 0.05, 1.0, NAN]),
    ),
    max_size=30,
)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROCEDURES)
def test_procedures_of_many_p_values_equal_statsmodels(name):
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(0).random(2_000).round(3) ** 3  # with ties, zeros and ones
    _, expected, _, _ = multipletests(p, alpha=0.1, method=name)
    np.testing.assert_allclose(PROCEDURES[name](p).adjusted, expected, rtol=1e-12)


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(p_values)
def test_procedures_equal_statsmodels(values):
    from statsmodels.stats.multitest import multipletests

    p = np.array(values)
    tested = p[~np.isnan(p)]
    if tested.size == 0:
        return
    for name, procedure in PROCEDURES.items():
        _, expected, _, _ = multipletests(tested, alpha=0.1, method=name)
        result = procedure(p)
        np.testing.assert_allclose(result.adjusted[~np.isnan(p)], expected, rtol=1e-12)
        np.testing.assert_array_equal(
            result.rejected[~np.isnan(p)], result.adjusted[~np.isnan(p)] <= 0.1
        )


@settings(deadline=None, max_examples=15)
@given(p_values, st.randoms(use_true_random=False))
def test_procedures_do_not_depend_on_the_order_and_are_monotone(values, random):
    order = list(range(len(values)))
    random.shuffle(order)
    p = np.array(values)
    for procedure in PROCEDURES.values():
        adjusted = procedure(p).adjusted
        np.testing.assert_array_equal(procedure(p[order]).adjusted, adjusted[order])
        known = ~np.isnan(p)
        assert np.all(np.diff(adjusted[known][np.argsort(p[known])]) >= 0.0)
        assert np.all((adjusted[known] >= p[known]) & (adjusted[known] <= 1.0))
