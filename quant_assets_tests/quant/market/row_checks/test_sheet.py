"""Packed keys sort as their tuples do, however wide they are."""

import numpy as np
import pytest

from quant_assets.quant.market.row_checks.sheet import increasing, pack

WIDE = 2**61


@pytest.mark.parametrize("high", [3, WIDE])
def test_packed_keys_sort_and_differ_as_their_tuples(high):
    generator = np.random.default_rng(7)
    keys = [generator.choice([-high, -1, 0, 5, high], 200).astype(np.int64) for _ in range(3)]
    packed = pack(keys)
    tuples = list(zip(*(key.tolist() for key in keys), strict=True))
    rank = {value: place for place, value in enumerate(sorted(set(tuples)))}
    order = np.argsort(packed, kind="stable")
    assert [tuples[row] for row in order] == sorted(tuples)
    assert len(np.unique(packed)) == len(rank)


def test_increasing_means_strictly():
    assert increasing(np.array([1, 2, 5]))
    assert not increasing(np.array([1, 2, 2]))
    assert increasing(np.array([1]))
