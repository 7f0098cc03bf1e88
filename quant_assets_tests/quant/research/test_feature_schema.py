import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.research.feature_schema import (
    FeatureSchema,
    correlation_report,
    orthogonalise,
    residualise,
)

NAN = np.nan
SHAPE = (6, 30)


def _features(k=4, seed=0):
    return np.random.default_rng(seed).normal(size=(*SHAPE, k))


def _residual(y, x):
    design = np.column_stack([np.ones(len(y)), x])
    return y - design @ np.linalg.lstsq(design, y, rcond=None)[0]


@pytest.mark.parametrize("names", [("a", "b", "a"), ("a", "B", "b"), ("a", ""), ("a ", "b")])
def test_schema_refuses_names_that_are_not_unique(names):
    with pytest.raises(ConfigError, match=r"twice|empty or has blanks"):
        FeatureSchema(names)


def test_schema_selects_its_columns_in_its_order():
    schema = FeatureSchema(("b", "a"))
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "x", "b"])
    assert schema.select(frame).columns.tolist() == ["b", "a"]
    with pytest.raises(DataError, match=r"\{'b': 0\}"):
        schema.select(frame[["a", "x"]])
    with pytest.raises(DataError, match=r"\{'a': 2\}"):
        schema.select(frame[["a", "a", "b"]])


@pytest.mark.slow
def test_rank_correlation_is_the_mean_of_spearman_over_rows():
    features = _features()
    features[0, :5, 1] = NAN
    features[1, :, 2] = 3.0
    report = correlation_report(features, FeatureSchema(("a", "b", "c", "d")))
    for i, j in np.ndindex(4, 4):
        rhos = []
        for row in features:
            both = ~np.isnan(row[:, i]) & ~np.isnan(row[:, j])
            if i != j and np.ptp(row[both, i]) > 0 and np.ptp(row[both, j]) > 0:
                rhos.append(stats.spearmanr(row[both, i], row[both, j]).statistic)
        expected = 1.0 if i == j else np.mean(rhos)
        assert report.rank_correlation[i, j] == pytest.approx(expected, rel=1e-9)


def test_duplicates_are_found_whatever_their_sign_and_scale():
    features = _features()
    features[:, :, 1] = -np.exp(features[:, :, 0])
    features[:, :, 3] = features[:, :, 0] * 1e-8 + 5.0
    report = correlation_report(features, FeatureSchema(("a", "b", "c", "d")))
    assert report.clusters.tolist() == [0, 0, 1, 0]
    assert report.kept == ("a", "c")
    assert report.duplicates.iloc[:, :2].to_numpy().tolist() == [["a", "b"], ["a", "d"], ["b", "d"]]
    np.testing.assert_allclose(report.duplicates["rho"], [-1, 1, -1], rtol=1e-12)


def test_clusters_link_through_others():
    # neighbours overlap by four parts of five, the ends of the chain by less
    parts = np.random.default_rng(1).normal(size=(4, 200, 8))
    chain = np.stack([parts[:, :, i : i + 5].sum(axis=2) for i in range(4)], axis=2)
    report = correlation_report(chain, FeatureSchema(tuple("abcd")), threshold=0.7)
    assert abs(report.rank_correlation[0, 3]) < 0.7
    assert report.clusters.tolist() == [0, 0, 0, 0]
    assert len(report.duplicates) == 3
    apart = correlation_report(chain, FeatureSchema(tuple("abcd")), threshold=0.95)
    assert apart.clusters.tolist() == [0, 1, 2, 3]


def test_unknown_features_are_nobodys_duplicate():
    features = _features()
    features[:, :, 2] = NAN
    report = correlation_report(features, FeatureSchema(tuple("abcd")))
    assert np.isnan(report.rank_correlation[2, [0, 1, 3]]).all()
    assert report.clusters.tolist() == [0, 1, 2, 3]


def test_orthogonalise_equals_regressions_on_all_before():
    features = _features() * [1.0, 1e6, 1e-8, 1.0] + [0.0, 5e6, 0.0, 100.0]
    found = orthogonalise(features)
    for t in range(len(features)):
        for j in range(4):
            before = features[t, :, :j] / [1.0, 1e6, 1e-8, 1.0][:j]
            expected = _residual(features[t, :, j], before)
            np.testing.assert_allclose(
                found[t, :, j], expected, rtol=1e-7, atol=1e-9 * np.abs(expected).max()
            )
    products = np.einsum("tsi,tsj->tij", found, found)
    lengths = np.sqrt(np.einsum("tii->ti", products))
    cosine = products / lengths[:, :, None] / lengths[:, None, :]
    np.testing.assert_allclose(cosine, np.tile(np.eye(4), (6, 1, 1)), atol=1e-13)


def test_orthogonalise_nearly_collinear_features_stay_orthogonal():
    features = _features(3)
    features[:, :, 1] = features[:, :, 0] + 1e-7 * features[:, :, 1]
    found = orthogonalise(features)
    unit = found / np.linalg.norm(found, axis=1, keepdims=True)
    assert np.abs(np.einsum("tsi,tsj->tij", unit, unit) - np.eye(3)).max() < 1e-13


def test_a_duplicate_leaves_nothing_and_takes_nothing_from_those_after_it():
    features = _features()
    features[:, :, 1] = 7.0 - 2.0 * features[:, :, 0]
    features[:, :, 2] = 1e5
    found = orthogonalise(features)
    assert (found[:, :, 1:3] == 0.0).all()
    without = orthogonalise(features[:, :, [0, 3]])
    np.testing.assert_array_equal(found[:, :, 3], without[:, :, 1])


def test_rows_know_nothing_of_each_other_and_symbols_have_no_order():
    features = _features()
    features[2, 4, 1] = NAN
    found = orthogonalise(features)
    np.testing.assert_array_equal(orthogonalise(features[:3]), found[:3])
    order = np.random.default_rng(1).permutation(SHAPE[1])
    np.testing.assert_allclose(orthogonalise(features[:, order]), found[:, order], atol=1e-12)
    assert np.isnan(found[2, 4]).all()
    assert np.isnan(found).sum() == 4
    alone = orthogonalise(np.delete(features[2:3], 4, axis=1))
    np.testing.assert_allclose(np.delete(found[2:3], 4, axis=1), alone, atol=1e-12)


def test_residualise_equals_regressions_on_the_factors():
    features, factors = _features(3), _features(2, seed=5)
    features[0, 3, 1] = NAN
    factors[1, 0, 0] = NAN
    doubled = np.concatenate([factors, factors[:, :, :1] * 2.0], axis=2)
    found = residualise(features, doubled)
    for t in range(len(features)):
        for j in range(3):
            known = ~np.isnan(features[t, :, j]) & ~np.isnan(factors[t]).any(axis=1)
            expected = _residual(features[t, known, j], factors[t, known])
            np.testing.assert_allclose(found[t, known, j], expected, atol=1e-12)
            assert np.isnan(found[t, ~known, j]).all()
    constant = residualise(features, np.empty((*SHAPE, 0)))
    np.testing.assert_allclose(constant[1, :, 0], features[1, :, 0] - features[1, :, 0].mean())


@pytest.mark.parametrize("shape", [(0, 5, 2), (3, 0, 2), (3, 5, 0), (3, 1, 2)])
def test_tables_with_little_in_them_keep_their_shape(shape):
    features = np.ones(shape)
    for found in (orthogonalise(features), residualise(features, np.ones((*shape[:2], 1)))):
        assert found.shape == shape
        assert (found == 0.0).all()
    report = correlation_report(features, FeatureSchema(tuple("ab"[: shape[2]])))
    assert report.rank_correlation.shape == (shape[2], shape[2])


def test_wrong_input_says_what():
    features = _features()
    with pytest.raises(DataError, match="with 2 features"):
        correlation_report(features, FeatureSchema(("a", "b")))
    with pytest.raises(ConfigError, match="threshold 0"):
        correlation_report(features, FeatureSchema(tuple("abcd")), threshold=0.0)
    with pytest.raises(DataError, match="other rows or symbols"):
        residualise(features, features[1:])
    features[1, 2, 3] = np.inf
    with pytest.raises(DataError, match="feature 3 of symbol 2 is infinite in row 1"):
        orthogonalise(features)
    with pytest.raises(DataError, match="expected"):
        orthogonalise(features[0])
