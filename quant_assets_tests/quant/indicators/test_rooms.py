"""Rows in whole cache lines: what stands beside the symbols is never seen."""

import numpy as np
import pytest

from quant_assets.quant import indicators
from quant_assets.quant.indicators import rooms
from quant_assets_tests.quant.indicators.bars import random_bars, with_holes

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("n_values", "wanted"), [(1, 1), (7, 7), (8, 8), (9, 16), (500, 504)])
def test_rows_are_whole_lines_but_for_less_than_one(n_values, wanted):
    assert rooms.padded(n_values) == wanted


@pytest.mark.parametrize("shape", [(3, 8), (5, 16), (4, 1)])
def test_rooms_begin_on_a_cache_line(shape):
    room = rooms.aligned(*shape, 2.5)
    assert room.shape == shape
    assert (room == 2.5).all()
    assert room.ctypes.data % 64 == 0


@pytest.mark.parametrize("order", ["C", "F", "read-only", "whole"])
@pytest.mark.parametrize("symbols", [range(1, 4), range(2, 3), range(5)])
def test_blocks_are_taken_and_given_back_without_their_padding(order, symbols):
    table = np.arange(3.0 * 10 * 5).reshape(3, 10, 5)
    table[1, 4, 2], table[0, 5, 1], table[2, 6, 3] = np.inf, -np.inf, np.nan
    given = {
        "C": table,
        "F": np.asfortranarray(table),
        "read-only": np.broadcast_to(table, table.shape),
        "whole": np.nan_to_num(table, posinf=9.0, neginf=9.0).astype(np.int32),
    }[order]
    wanted = np.where(np.isfinite(given), given, np.nan)
    block = rooms.Room(6, 3, symbols).take(given, 3, 8)
    width, piece = len(symbols), slice(symbols.start, symbols.stop)
    assert block.shape == (5, rooms.padded(3 * width))
    found = block[:, : 3 * width].reshape(5, 3, width).transpose(1, 0, 2)
    np.testing.assert_array_equal(found, wanted[:, 3:8, piece])
    filled = np.zeros((3, 10, 5))
    rooms.give(block, filled, 3, symbols)
    np.testing.assert_array_equal(filled[:, 3:8, piece], wanted[:, 3:8, piece])
    filled[:, 3:8, piece] = 0.0
    assert (filled == 0.0).all()


def test_rows_that_follow_each_other_are_one_long_row():
    table = np.arange(40.0).reshape(1, 5, 8)
    table[0, 2, 3] = np.inf
    wanted = np.where(np.isfinite(table), table, np.nan)
    block = rooms.Room(4, 1, range(8)).take(table, 1, 4)
    np.testing.assert_array_equal(block, wanted[0, 1:4])
    filled = np.zeros((1, 5, 8))
    rooms.give(block, filled, 2, range(8))
    np.testing.assert_array_equal(filled[0, 2:], wanted[0, 1:4])
    assert (filled[0, :2] == 0.0).all()


@pytest.mark.parametrize("n_symbols", [8, 11, 20, 37])
def test_each_of_many_symbols_has_the_bits_that_it_has_alone(n_symbols):
    """Windows of all sizes in one walk, padded and folded together, beside recursions."""
    bars = with_holes(random_bars(6_000, n_symbols), 0.001)
    bars["close"][1_234, 3] = np.inf
    market = random_bars(6_000, n_symbols, seed=9)["close"]
    several = {
        "std 20": indicators.RollingStd(20),
        "kurtosis 30": indicators.RollingKurtosis(30),
        "z 12": indicators.ZScore(12).on("volume"),
        "beta 60": indicators.RollingBeta(60).on("close", "market"),
        "correlation 60": indicators.RollingCorrelation(60).on("close", "market"),
        "highest 20": indicators.RollingMax(20),
        "rsi": indicators.Rsi(14),
        "macd": indicators.Macd(),
        "obv": indicators.Obv(),
    }
    bars["market"] = market
    together = indicators.compute_all(several, bars)
    for j in (0, 3, n_symbols - 1):
        for name, indicator in several.items():
            alone = indicator.compute(*(bars[column][:, j] for column in indicator.inputs))
            stacked = np.stack([together[name]])[..., j]
            np.testing.assert_array_equal(stacked, np.stack([alone]), err_msg=name)
