import numpy as np
import pytest

from quant_assets.quant import indicators
from quant_assets_tests.quant.indicators.oracle import assert_close, by_window

pytestmark = pytest.mark.slow


def rescaled_range(piece):
    path = np.concatenate([[0.0], np.cumsum(piece - piece.mean())])
    return np.ptp(path) / piece.std()


def twin(window, least):
    """Slope of a line through (ln rows, ln mean R/S); pieces are cut from the end."""
    sizes = [len(window) // 2**k for k in range(20) if len(window) // 2**k >= least]
    means = [
        np.mean(
            [rescaled_range(window[len(window) - (i + 1) * size :][:size]) for i in range(count)]
        )
        for size, count in ((size, len(window) // size) for size in sizes)
    ]
    return np.polyfit(np.log(sizes), np.log(means), 1)[0]


@pytest.mark.parametrize(("n", "least"), [(16, 8), (37, 4), (40, 8)])
def test_hurst_equals_pieces_and_a_line(n, least):
    returns = np.random.default_rng(1).normal(size=70)
    returns[50] = np.nan
    expected = by_window(lambda window: twin(window, least), n, returns)
    assert_close(indicators.hurst(returns, n, least), expected)


@pytest.mark.slow
def test_hurst_tells_memory_from_its_absence():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(4_096, 20))
    means = {}
    for name, series in {
        "none": noise,
        "reverting": np.diff(noise, axis=0, prepend=0.0),
        "trending": np.cumsum(noise, axis=0)[::1] * 0.02 + noise * 0.2,
    }.items():
        means[name] = indicators.hurst(series, 2_048, 16)[-1].mean()
    assert means["reverting"] < 0.35
    assert 0.48 < means["none"] < 0.62
    assert means["trending"] > 0.8


def test_hurst_of_flat_pieces_and_of_one_size_is_unknown():
    assert np.isnan(indicators.hurst(np.zeros(64), 32)).all()
    assert np.isnan(indicators.hurst(np.random.default_rng(0).normal(size=40), 12, 8)).all()
