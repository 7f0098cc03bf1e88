import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.statistics.bootstrap import (
    Resampling,
    bootstrap_means,
    bootstrap_p_values,
    bootstrap_statistics,
    circular_block_bootstrap,
    confidence_interval,
    optimal_block_length,
    stationary_bootstrap,
)

pytestmark = pytest.mark.slow

NAN = np.nan
MASK = (1 << 64) - 1


def rng(seed=3):
    return np.random.default_rng(seed)


def _uniforms(seed):
    """SplitMix64 in plain integers."""
    state = int(seed)
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield ((z ^ (z >> 31)) >> 11) / 2**53


def _plain_rows(n, block, draws, generator, *, fixed):
    """Row numbers block by block: start is the whole part of u n, length from its fraction."""
    uniform = _uniforms(generator.integers(0, 2**64, dtype=np.uint64))
    table = []
    for _ in range(draws):
        rows = []
        while len(rows) < n:
            place = next(uniform) * n
            start, fraction = int(place), place - int(place)
            length = int(block)
            if not fixed:
                length = 1
                while block > 1 and 1 - fraction <= (1 - 1 / block) ** length:
                    length += 1
            rows.extend((start + k) % n for k in range(length))
        table.append(rows[:n])
    return np.array(table)


@pytest.mark.parametrize(("n", "block"), [(1, 3), (17, 1), (17, 2.5), (40, 9.0), (40, 200)])
def test_stationary_bootstrap_equals_its_plain_twin(n, block):
    ours = stationary_bootstrap(n, mean_block=block, n_draws=20, rng=rng())
    np.testing.assert_array_equal(ours, _plain_rows(n, block, 20, rng(), fixed=False))


@pytest.mark.parametrize(("n", "block"), [(1, 1), (17, 1), (17, 5), (17, 30)])
def test_circular_block_bootstrap_equals_its_plain_twin(n, block):
    ours = circular_block_bootstrap(n, block=block, n_draws=20, rng=rng())
    np.testing.assert_array_equal(ours, _plain_rows(n, block, 20, rng(), fixed=True))


def test_stationary_bootstrap_has_geometric_blocks_and_uniform_rows():
    rows = stationary_bootstrap(500, mean_block=8, n_draws=200, rng=rng(0))
    breaks = (np.diff(rows, axis=1) % 500) != 1
    # a block ends with probability 1/8; one in 500 new blocks happens to go on where the last ended
    expected = (1 - 1 / 500) / 8
    spread = np.sqrt(expected * (1 - expected) / breaks.size)
    assert abs(breaks.mean() - expected) < 4 * spread
    counts = np.bincount(rows.ravel(), minlength=500)
    assert abs(counts.mean() - 200) < 1e-12
    # rows of one block come together: variance of a count about (2 b - 1) times the independent
    assert counts.std() < 3 * np.sqrt(200 * 15)


def test_mean_block_1_is_the_independent_bootstrap():
    rows = stationary_bootstrap(50, mean_block=1, n_draws=400, rng=rng(1))
    breaks = (np.diff(rows, axis=1) % 50) != 1
    assert abs(breaks.mean() - 49 / 50) < 4 * np.sqrt(0.02 * 0.98 / breaks.size)
    fixed = circular_block_bootstrap(50, block=1, n_draws=400, rng=rng(1))
    np.testing.assert_array_equal(rows, fixed)


@pytest.mark.parametrize(
    "how", [Resampling(7.5, 60), Resampling(1, 60), Resampling(6, 60, "circular")]
)
@pytest.mark.parametrize("scale", [1.0, 1e6, 1e-8])
def test_bootstrap_means_are_the_means_of_the_rows(how, scale):
    x = (rng().normal(size=(90, 3)) + 5.0) * scale
    x[:, 2] = 7.0 * scale
    rows = _plain_rows(90, how.block, 60, rng(), fixed=how.scheme == "circular")
    means = bootstrap_means(x, how, rng())
    np.testing.assert_allclose(means, x[rows].mean(axis=1), rtol=1e-12)
    np.testing.assert_array_equal(bootstrap_means(x[:, 1], how, rng()), means[:, 1])
    order = [2, 0, 1]
    np.testing.assert_array_equal(bootstrap_means(x[:, order], how, rng()), means[:, order])
    np.testing.assert_allclose(
        bootstrap_statistics(x, lambda z: z.mean(axis=0), how, rng()), means, rtol=1e-12
    )


def test_bootstrap_is_drawn_in_chunks_from_one_stream(monkeypatch):
    from quant_assets.quant.statistics import bootstrap

    whole = stationary_bootstrap(30, mean_block=4, n_draws=50, rng=rng())
    monkeypatch.setattr(bootstrap, "_CHUNK", 70)
    np.testing.assert_array_equal(
        stationary_bootstrap(30, mean_block=4, n_draws=50, rng=rng()), whole
    )


def test_bootstrap_p_values_equal_their_plain_twin():
    values, sizes = rng(5).normal(size=60) + 0.15, np.array([20, 0, 9, 1, 30])
    ours = bootstrap_p_values(values, sizes, n_draws=60, rng=rng())
    seeds = rng().integers(0, 2**64, size=5, dtype=np.uint64)
    ends = np.cumsum(sizes)
    for cell in (0, 2, 3, 4):
        y = values[ends[cell] - sizes[cell] : ends[cell]]
        block = next(b for b in range(1, 99) if b**3 >= len(y))
        uniform = _uniforms(seeds[cell])
        hits = 0
        for _ in range(60):
            starts = [int(next(uniform) * len(y)) for _ in range(-(-len(y) // block))]
            rows = [(s + k) % len(y) for s in starts for k in range(block)][: len(y)]
            # a draw that repeats the cell itself ties with it, up to rounding
            hits += abs((y - y.mean())[rows].sum()) >= abs(y.sum())
        assert ours[cell] == pytest.approx((1 + hits) / 61, abs=1.5 / 61)
    assert np.isnan(ours[1])


def test_bootstrap_p_values_are_exact_for_cells_that_cannot_or_must_reject():
    p = bootstrap_p_values([5.0, 5.1, 4.9, 5.0, 1.0, -1.0], [4, 2], n_draws=99, rng=rng())
    np.testing.assert_allclose(p, [0.01, 1.0])


@pytest.mark.parametrize("method", ["percentile", "basic", "bca"])
@pytest.mark.parametrize("how", [Resampling(4.0, 300), Resampling(3, 300, "circular")])
@pytest.mark.slow
def test_confidence_interval_equals_arch_on_the_same_rows(method, how):
    from arch.bootstrap import IIDBootstrap

    x = rng(8).exponential(size=80)
    rows = _plain_rows(80, how.block, 300, rng(), fixed=how.scheme == "circular")

    class SameRows(IIDBootstrap):
        given = iter(rows)

        def update_indices(self):
            return next(self.given)

    theirs = SameRows(x).conf_int(np.std, reps=300, method=method, size=0.9)
    ours = confidence_interval(x, np.std, how, rng(), level=0.9, method=method)
    np.testing.assert_allclose(np.array(ours), theirs[:, 0], rtol=1e-9)


def test_confidence_interval_of_two_statistics_is_that_of_each():
    x, how = rng(8).normal(size=(60, 2)), Resampling(3.0, 200)
    for method in ("percentile", "basic", "bca"):
        low, high = confidence_interval(x, lambda z: z.mean(axis=0), how, rng(), method=method)
        for column in range(2):
            one = confidence_interval(x[:, column], np.mean, how, rng(), method=method)
            np.testing.assert_allclose([low[column], high[column]], one, rtol=1e-9)
        assert np.all(low < high)


def test_confidence_interval_of_a_constant_is_a_point_and_has_no_bca():
    x, how = np.full(20, 0.5), Resampling(2.0, 50)
    assert confidence_interval(x, np.mean, how, rng()) == (0.5, 0.5)
    low, high = confidence_interval(x, np.mean, how, rng(), method="bca")
    assert np.isnan([low, high]).all()


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 100, 1_000])
@pytest.mark.parametrize("memory", [0.0, 0.5, 0.95])
def test_optimal_block_length_equals_arch(n, memory):
    from arch.bootstrap import optimal_block_length as arch_length

    noise = rng(n).normal(size=(n, 4))
    x = np.empty_like(noise)
    x[0] = noise[0]
    for t in range(1, n):
        x[t] = memory * x[t - 1] + noise[t]
    ours, theirs = optimal_block_length(x), arch_length(x)
    np.testing.assert_allclose(ours.stationary, theirs["stationary"], rtol=1e-9)
    np.testing.assert_allclose(ours.circular, theirs["circular"], rtol=1e-9)
    assert optimal_block_length(x[:, 2]).stationary == ours.stationary[2]


@pytest.mark.parametrize("x", [[1.0], [0.1] * 30])
def test_optimal_block_length_of_a_constant_is_nan(x):
    assert np.isnan(optimal_block_length(x).stationary)


@pytest.mark.parametrize("n", range(2, 12))
def test_optimal_block_length_of_few_rows_is_bounded(n):
    length = optimal_block_length(rng(n).normal(size=n))
    assert 0.0 <= length.stationary <= np.ceil(n / 3)


@pytest.mark.parametrize("bad", [NAN, np.inf])
def test_rows_that_are_not_finite_are_named(bad):
    x = np.array([0.0, 1.0, bad])
    how = Resampling(2.0, 5)
    calls = [
        lambda: bootstrap_means(x, how, rng()),
        lambda: bootstrap_statistics(x, np.mean, how, rng()),
        lambda: optimal_block_length(x),
        lambda: confidence_interval(x, np.mean, how, rng()),
    ]
    for call in calls:
        with pytest.raises(DataError, match="row 2 of x"):
            call()
    with pytest.raises(DataError, match="value 2 is not finite"):
        bootstrap_p_values(x, [3], n_draws=9, rng=rng())


@pytest.mark.parametrize("x", [[], np.empty((0, 2)), np.empty((2, 2, 2))])
def test_tables_without_rows_are_refused(x):
    with pytest.raises(DataError, match="shape"):
        bootstrap_means(x, Resampling(2.0), rng())


@pytest.mark.parametrize(
    "how",
    [
        Resampling(0.5),
        Resampling(NAN),
        Resampling(np.inf),
        Resampling(2, 0),
        Resampling(2.5, 9, "circular"),
    ],
)
def test_impossible_blocks_are_refused(how):
    with pytest.raises(ConfigError, match="block"):
        bootstrap_means([1.0, 2.0], how, rng())


def test_bad_cells_levels_and_draws_are_refused():
    with pytest.raises(DataError, match="sizes add up to 3"):
        bootstrap_p_values([1.0, 2.0], [3], n_draws=9, rng=rng())
    with pytest.raises(ConfigError, match="n_draws 0"):
        bootstrap_p_values([1.0, 2.0], [2], n_draws=0, rng=rng())
    with pytest.raises(ConfigError, match="level"):
        confidence_interval([1.0, 2.0], np.mean, Resampling(1), rng(), level=1.0)
