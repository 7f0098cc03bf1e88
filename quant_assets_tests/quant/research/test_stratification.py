import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.research.outcomes import EventOutcomes, group_contrast
from quant_assets.quant.research.stratification import (
    cross_strata,
    hour_buckets,
    past_buckets,
    stratification_report,
    stratified_effect,
)

NAN = np.nan
# Charig et al. (1986): treatment, stone (0 small, 1 large), cured, patients
STONES = [(True, 0, 81, 87), (True, 1, 192, 263), (False, 0, 234, 270), (False, 1, 55, 80)]


def _stones():
    treated, stone, cured = [], [], []
    for treatment, size, successes, patients in STONES:
        treated += [treatment] * patients
        stone += [size] * patients
        cured += [1.0] * successes + [0.0] * (patients - successes)
    order = np.random.default_rng(0).permutation(700)
    bars = np.arange(700) * 10
    sample = EventOutcomes(np.array(cured)[order], bars, bars // 20, horizon_bars=1)
    return sample, np.array(treated)[order], np.array(stone)[order]


@pytest.mark.slow
def test_kidney_stones_reverse_in_every_stratum():
    sample, treated, stone = _stones()
    found = stratified_effect(sample, treated, stone)
    assert found.crude.mean == pytest.approx(273 / 350 - 289 / 350, rel=1e-9)
    small, large = 81 / 87 - 234 / 270, 192 / 263 - 55 / 80
    np.testing.assert_allclose(found.strata["effect"], [small, large], rtol=1e-9)
    assert found.strata["n_treated"].tolist() == [87, 263]
    assert found.strata["n_control"].tolist() == [270, 80]
    assert found.adjusted.mean == pytest.approx((357 * small + 343 * large) / 700, rel=1e-9)
    assert found.crude.mean < 0 < found.adjusted.mean
    assert found.reversal
    assert found.every_stratum_reverses
    # events ten bars apart, lag 2: the errors are those of four independent proportions
    cells = {(t, s): (k / n) * (1 - k / n) / (n - 1) for t, s, k, n in STONES}
    variance = sum((357, 343)[s] ** 2 / 700**2 * v for (_, s), v in cells.items())
    assert found.adjusted.standard_error == pytest.approx(np.sqrt(variance), rel=1e-9)


@pytest.mark.slow
def test_no_reversal_is_invented_where_strata_do_not_matter():
    sample, treated, _ = _stones()
    strata = np.arange(700) % 2
    found = stratified_effect(sample, treated, strata)
    assert not found.reversal
    assert found.adjusted.mean == pytest.approx(found.crude.mean, abs=0.01)
    whole = stratified_effect(sample, treated, np.zeros(700, dtype=int))
    assert whole.adjusted.mean == pytest.approx(found.crude.mean, rel=1e-9)
    assert whole.adjusted.p_value == pytest.approx(whole.crude.p_value, rel=1e-9)


@pytest.mark.slow
def test_strata_with_one_side_are_left_out_and_counted():
    sample, treated, stone = _stones()
    stone = np.where(stone == 1, np.where(treated, 1, 2), 0)
    outcomes = sample.outcomes.copy()
    outcomes[np.flatnonzero(stone == 0)[0]] = NAN
    sample = EventOutcomes(outcomes, sample.bars, sample.days, 1)
    found = stratified_effect(sample, treated, stone)
    assert found.n_left_out == 343
    assert found.strata["share"].tolist() == [1.0, 0.0, 0.0]
    assert found.strata["effect"].isna().tolist() == [False, True, True]
    expected = group_contrast(sample, np.where(stone == 0, treated, -1), [-1, 1])
    assert found.crude == expected
    found = stratified_effect(sample, treated, (stone == 0).astype(int), min_events=85)
    assert found.strata["share"].tolist() == [0.0, 1.0]  # 80 large ones untreated


@pytest.mark.slow
def test_nothing_to_compare_is_no_effect_and_no_reversal():
    sample, treated, stone = _stones()
    for flags, codes in ((np.ones(700, dtype=bool), stone), (treated, np.full(700, -1))):
        found = stratified_effect(sample, flags, codes)
        assert np.isnan(found.crude.mean)
        assert np.isnan(found.adjusted.mean)
        assert not found.reversal
        assert not found.every_stratum_reverses
        assert found.n_left_out == 700


@pytest.mark.slow
def test_effects_within_strata_keep_their_error_rate_when_days_are_shared():
    rng, runs, rejected = np.random.default_rng(7), 300, []
    for _ in range(runs):
        bars = np.sort(rng.integers(0, 24 * 250, 400))
        path = np.cumsum(rng.normal(size=24 * 250 + 7))
        shared = rng.normal(size=250)[bars // 24]  # what all events of a day have in common
        sample = EventOutcomes(path[bars + 6] - path[bars] + shared, bars, bars // 24, 6)
        treated = rng.random(250)[bars // 24] < 0.4  # whole days are treated, as by a regime
        strata = rng.integers(0, 3, 400)
        rejected.append(stratified_effect(sample, treated, strata).adjusted.p_value < 0.05)
    assert 0.01 < np.mean(rejected) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


@pytest.mark.slow
def test_report_shows_the_column_that_reverses():
    sample, treated, stone = _stones()
    strata = pd.DataFrame({"parity": np.arange(700) % 2, "stone": stone})
    table = stratification_report(sample, treated, strata)
    assert table.index.tolist() == ["parity", "stone", "parity x stone"]
    assert table["reversal"].tolist() == [False, True, True]
    assert table["n_strata"].tolist() == [2, 2, 4]
    crossed = stratified_effect(sample, treated, 2 * strata["parity"].to_numpy() + stone)
    assert table.loc["parity x stone", "adjusted"] == pytest.approx(crossed.adjusted.mean)


@pytest.mark.parametrize("columns", [None, 3])
def test_past_buckets_equal_quantiles_of_the_rows_before(columns):
    rng = np.random.default_rng(0)
    values = rng.normal(size=40 if columns is None else (40, columns))
    values[5:9] = NAN
    found = past_buckets(values, 10, shares=(0.25, 0.75))
    table, codes = values.reshape(40, -1), found.reshape(40, -1)
    for (t, j), code in np.ndenumerate(codes):
        past = table[max(0, t - 10) : t, j]
        past = past[~np.isnan(past)]
        expected = -1
        if len(past) >= 5 and not np.isnan(table[t, j]):
            expected = (table[t, j] > np.quantile(past, [0.25, 0.75])).sum()
        assert code == expected, (t, j)
    assert set(codes.ravel()) == {-1, 0, 1, 2}


def test_past_buckets_know_nothing_of_later_rows_nor_of_their_own():
    values = np.random.default_rng(1).normal(size=60)
    found = past_buckets(values, 8)
    np.testing.assert_array_equal(past_buckets(values[:33], 8), found[:33])
    assert past_buckets(np.r_[np.zeros(8), 1e-300], 8)[-1] == 2
    np.testing.assert_array_equal(past_buckets(values[:, None], 8)[:, 0], found)
    np.testing.assert_array_equal(past_buckets(np.full(12, 3.3), 4)[2:], 0)
    assert past_buckets(np.empty(0), 4).shape == (0,)


def test_hour_buckets_by_hand():
    ts = pd.to_datetime(["2024-01-01 00:00", "2024-01-01 07:59", "2024-01-01 08:00"], utc=True)
    late = pd.DatetimeIndex(["2024-01-01 23:00+00:00"]).tz_convert("Asia/Tokyo")
    assert hour_buckets(ts).tolist() == [0, 0, 1]
    assert hour_buckets(late, (0, 8, 16, 22)).tolist() == [3]
    with pytest.raises(DataError, match="no time zone"):
        hour_buckets(ts.tz_localize(None))


@pytest.mark.parametrize("starts", [(), (1, 5), (0, 5, 5), (0, 24)])
def test_hour_buckets_of_impossible_parts_are_refused(starts):
    with pytest.raises(ConfigError, match="starts"):
        hour_buckets(pd.DatetimeIndex([], tz="UTC"), starts)


def test_cross_strata_by_hand():
    assert cross_strata([1, 0, 1, -1, 0], [0, 2, 0, 1, 0]).tolist() == [2, 1, 2, -1, 0]
    assert cross_strata([7, -1, 3]).tolist() == [1, -1, 0]


def test_wrong_input_says_what():
    bars = np.arange(3)
    sample = EventOutcomes(np.zeros(3), bars, bars, 1)
    with pytest.raises(DataError, match="treated has dtype int64"):
        stratified_effect(sample, bars, bars)
    with pytest.raises(DataError, match="one entry for each of 3"):
        stratified_effect(sample, bars[:2] > 0, bars[:2])
    with pytest.raises(DataError, match="finite"):
        past_buckets([1.0, np.inf], 2)
    with pytest.raises(ConfigError, match="increasing"):
        past_buckets([1.0, 2.0], 2, shares=(0.5, 0.5))
