"""Seeded noise: right moments, and a beginning that does not depend on the length."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant_assets.adapters.market_simulator.noise import (
    decay_of,
    generator,
    heavy_tailed,
    recursion,
    wandering,
)


def test_recursion_by_hand() -> None:
    np.testing.assert_allclose(recursion(np.array([1.0, 0.0, 4.0]), 0.5), [1.0, 0.5, 4.25])
    np.testing.assert_allclose(recursion(np.zeros(3), 0.5, start=8.0), [4.0, 2.0, 1.0])


@pytest.mark.parametrize("half_life", [0.1, 0.5, 1.0, 12.0, 288.0, 20_000.0])
def test_recursion_equals_scipys_filter(half_life: float) -> None:
    from scipy.signal import lfilter  # a second to import, which no other test should pay

    decay = decay_of(half_life)
    inputs = np.random.default_rng(1).standard_normal(5_000)
    expected, _ = lfilter([1.0], [1.0, -decay], inputs, zi=[decay * 3.0])
    np.testing.assert_allclose(recursion(inputs, decay, 3.0), expected, rtol=0, atol=1e-10)


@given(size=st.integers(0, 400), more=st.integers(0, 400), half_life=st.floats(0.3, 300.0))
def test_recursion_beginning_does_not_depend_on_the_length(
    size: int, more: int, half_life: float
) -> None:
    inputs = np.random.default_rng(2).standard_normal(size + more)
    decay = decay_of(half_life)
    assert np.array_equal(recursion(inputs[:size], decay), recursion(inputs, decay)[:size])


def test_generator_names_and_seeds_give_different_streams() -> None:
    keys = [(7, "BTC/USDT", "returns"), (8, "BTC/USDT", "returns"), (7, "BTC/USDT", "highs"),
            (7, "ETH/USDT", "returns"), (7, "BTC/USDTreturns")]  # fmt: skip
    draws = {generator(seed, *labels).integers(2**62) for seed, *labels in keys}
    assert len(draws) == len(keys)
    assert generator(7, "a").integers(2**62) == generator(7, "a").integers(2**62)


def test_heavy_tailed_has_variance_one_and_heavy_tails() -> None:
    draws = heavy_tailed(generator(1, "x"), 400_000)
    assert draws.std() == pytest.approx(1.0, abs=0.02)
    assert (np.abs(draws) > 4.0).mean() > 10 * 6.3e-5
    assert np.abs(draws).max() <= 10.0
    assert np.array_equal(draws[:1000], heavy_tailed(generator(1, "x"), 1000))


def test_wandering_is_stationary_with_the_named_half_life() -> None:
    values = wandering(generator(3, "x"), 400_000, half_life=20.0, deviation=0.5)
    assert values.std() == pytest.approx(0.5, rel=0.03)
    lagged = np.corrcoef(values[:-20], values[20:])[0, 1]
    assert lagged == pytest.approx(0.5, abs=0.03)
    starts = [
        wandering(generator(s, "x"), 1, half_life=20.0, deviation=0.5)[0] for s in range(2000)
    ]
    assert np.std(starts) == pytest.approx(0.5, rel=0.06)
