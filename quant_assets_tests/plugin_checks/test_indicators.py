"""What every indicator must do, whoever wrote it; found by discovery."""

import io
from dataclasses import fields

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, DataError, LookAheadError
from quant_assets.quant import indicators
from quant_assets.quant.indicators import base
from quant_assets_tests.plugin_checks.prefix_invariance import assert_prefix_invariant
from quant_assets_tests.quant.indicators.bars import random_bars, with_holes

pytestmark = pytest.mark.slow

INDICATORS = indicators.catalogue()
AFTER = 70  # rows looked at behind the warm-up
every_indicator = pytest.mark.parametrize("kind", INDICATORS.values(), ids=INDICATORS.keys())


def columns_for(indicator, n_times, n_symbols=3, *, seed=1, holes=0.0):
    """Values for the inputs; those that are not columns of a bar are prices of something else."""
    bars = random_bars(n_times, n_symbols, seed=seed)
    if holes:
        bars = with_holes(bars, holes)
    columns = []
    for place, name in enumerate(indicator.inputs):
        if name not in bars:
            bars[name] = random_bars(n_times, n_symbols, seed=seed + 10 * place)["close"]
        columns.append(bars[name])
    return columns


def results_of(indicator, columns):
    """All outputs in one array, the output axis last."""
    result = indicator.compute(*columns)
    return np.stack(result if isinstance(result, tuple) else (result,), axis=-1)


def streamed(indicator, columns, cuts):
    """The same from a stream that gets the rows in pieces, and is saved and taken up at each cut.

    Pieces of one row are given as rows, longer ones as blocks.
    """
    n_symbols = columns[0].shape[1] if columns[0].ndim == 2 else None
    stream, pieces = indicator.stream(n_symbols), []
    for first, last in zip([0, *cuts], [*cuts, len(columns[0])], strict=True):
        rows = first if last == first + 1 else slice(first, last)
        result = stream.update(*(column[rows] for column in columns))
        stacked = np.stack(result if isinstance(result, tuple) else (result,), axis=-1)
        pieces.append(stacked[None] if last == first + 1 else stacked)
        file = io.BytesIO()
        np.savez(file, **stream.state())
        file.seek(0)
        with np.load(file, allow_pickle=False) as saved:
            stream = indicator.stream(n_symbols).restore(saved)
    return np.concatenate(pieces)


def assert_same_bits(found, expected):
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_array_equal(
        np.nan_to_num(found).view(np.int64), np.nan_to_num(expected).view(np.int64)
    )


@every_indicator
def test_values_begin_on_the_declared_row(kind):
    indicator = kind()
    columns = columns_for(indicator, indicator.lookback + AFTER)
    values = results_of(indicator, columns)
    assert values.shape == (*columns[0].shape, len(indicator.outputs))
    assert np.isnan(values[: indicator.lookback]).any(axis=-1).all()
    if indicator.undefined:
        assert np.isfinite(values[indicator.lookback :]).any()
    else:
        assert np.isfinite(values[indicator.lookback :]).all()


@every_indicator
def test_stream_gives_the_same_bits_also_with_missing_values_and_when_taken_up_again(kind):
    indicator = kind()
    n_times = 2 * indicator.lookback + AFTER
    columns = columns_for(indicator, n_times, holes=0.01)
    cuts = sorted(np.random.default_rng(0).choice(np.arange(1, n_times), 6, replace=False))
    assert_same_bits(streamed(indicator, columns, cuts), results_of(indicator, columns))


@pytest.mark.slow
@every_indicator
@pytest.mark.parametrize("holes", [0.0, 0.03])
def test_stream_bar_by_bar_gives_the_same_bits(kind, holes):
    indicator = kind()
    n_times = indicator.lookback + AFTER
    columns = [column[:, 0] for column in columns_for(indicator, n_times, 1, holes=holes)]
    stream = indicator.stream()
    rows = [stream.update(*(column[t] for column in columns)) for t in range(n_times)]
    found = np.array([row if isinstance(row, tuple) else (row,) for row in rows])
    assert_same_bits(found, results_of(indicator, columns))
    assert_same_bits(streamed(indicator, columns, range(1, n_times)), found)


@pytest.mark.slow
@every_indicator
def test_indicator_is_causal_bit_for_bit(kind):
    indicator = kind()
    n_times = indicator.lookback + AFTER
    columns = columns_for(indicator, n_times, holes=0.01)
    named = {f"{place}": column for place, column in enumerate(columns)}
    cuts = {1, indicator.lookback // 2, indicator.lookback, n_times - 30, n_times - 1} - {0}
    assert_prefix_invariant(
        lambda arrays: results_of(indicator, list(arrays.values())), named, cuts=sorted(cuts)
    )


@pytest.mark.slow
@every_indicator
def test_one_series_several_and_any_order_of_them_give_the_same_bits(kind):
    indicator, order = kind(), np.array([2, 0, 4, 1, 3])
    columns = columns_for(indicator, indicator.lookback + AFTER, 5, holes=0.01)
    values = results_of(indicator, columns)
    permuted = results_of(indicator, [column[:, order] for column in columns])
    assert_same_bits(permuted, values[:, order])
    for symbol in range(5):
        alone = results_of(indicator, [column[:, symbol] for column in columns])
        assert_same_bits(alone, values[:, symbol])


@pytest.mark.slow
@every_indicator
def test_blocks_and_tiles_do_not_show(kind, monkeypatch):
    indicator = kind()
    columns = columns_for(indicator, indicator.lookback + AFTER, 5, holes=0.01)
    values = results_of(indicator, columns)
    monkeypatch.setattr(base, "BLOCK_VALUES", 14)
    monkeypatch.setattr(base, "TILE_SYMBOLS", 2)
    assert_same_bits(results_of(indicator, columns), values)


@pytest.mark.slow
@every_indicator
def test_a_missing_row_is_forgotten(kind):
    """No earlier row changes, the row itself has no values, and behind it none is made up."""
    indicator = kind()
    hole = indicator.lookback + 20
    columns = columns_for(indicator, hole + indicator.lookback + AFTER, 2)
    whole = results_of(indicator, columns)
    fresh = results_of(indicator, [column[hole + 1 :] for column in columns])
    if indicator.skips_missing:
        fresh = results_of(indicator, [np.delete(column, hole, axis=0) for column in columns])
        fresh = fresh[hole:]
    holed_columns = [column.copy() for column in columns]
    for column in holed_columns:
        column[hole, 0] = np.nan
    holed = results_of(indicator, holed_columns)
    assert_same_bits(holed[:hole], whole[:hole])
    assert_same_bits(holed[:, 1], whole[:, 1])
    assert np.isnan(holed[hole, 0]).all()
    unit = np.nanmax(np.abs(whole), axis=(0, 1))
    behind, as_fresh, as_before = (values[-len(fresh) :, 0] for values in (holed, fresh, whole))
    is_fresh = np.isclose(behind, as_fresh, rtol=1e-9, atol=1e-11 * unit, equal_nan=True)
    unmoved = np.isclose(behind, as_before, rtol=1e-9, atol=1e-11 * unit)
    assert is_fresh[indicator.lookback :].all()
    assert (np.isnan(behind) | is_fresh | unmoved).all()


@pytest.mark.slow
@every_indicator
def test_infinities_are_read_as_missing(kind):
    indicator = kind()
    missing = columns_for(indicator, indicator.lookback + AFTER, holes=0.02)
    infinite = [column.copy() for column in missing]
    for column in infinite:
        holes = np.flatnonzero(np.isnan(column))
        column.flat[holes[::2]] = np.inf
        column.flat[holes[1::2]] = -np.inf
    assert_same_bits(results_of(indicator, infinite), results_of(indicator, missing))


@pytest.mark.slow
@every_indicator
def test_flat_extreme_and_absent_series_are_survived(kind):
    indicator = kind()
    n_times = indicator.lookback + AFTER
    columns = [column.copy() for column in columns_for(indicator, n_times, 5)]
    for column in columns:
        column[:, 0] = 5.1
        column[:, 1] *= 1e-8
        column[:, 2] *= 1e6
        column[:, 3] = np.nan
        column[:, 4] = np.round(column[:, 4] * 1e-1) * 1e1
    values = results_of(indicator, columns)
    assert not np.isinf(values).any()
    assert np.isnan(values[:, 3]).all()
    assert indicator.undefined or np.isfinite(values[indicator.lookback :, 1:3]).all()


@every_indicator
@pytest.mark.parametrize("n_times", [0, 1])
def test_no_row_and_one_row_keep_their_shape(kind, n_times):
    indicator = kind()
    for n_symbols in (None, 2):
        columns = columns_for(indicator, n_times, n_symbols)
        assert results_of(indicator, columns).shape[:-1] == columns[0].shape


@pytest.mark.slow
@every_indicator
def test_any_layout_and_type_of_numbers_is_taken_and_left_alone(kind):
    indicator = kind()
    columns = [np.round(c) for c in columns_for(indicator, indicator.lookback + AFTER)]
    values = results_of(indicator, columns)
    for other in (np.asfortranarray, lambda c: c.astype(np.int64), lambda c: c[::-1].copy()[::-1]):
        changed = [other(column) for column in columns]
        for column in changed:
            column.flags.writeable = False
        assert_same_bits(results_of(indicator, changed), values)
    assert_same_bits(results_of(indicator, columns), values)


@every_indicator
def test_wrong_parameters_and_shapes_are_refused(kind):
    indicator = kind()
    for parameter in fields(indicator):
        for wrong in (-3, np.nan, "3", None, True):
            with pytest.raises(ConfigError, match=rf"{kind.name}: {parameter.name} = "):
                kind(**{parameter.name: wrong})
    columns = columns_for(indicator, 4)
    with pytest.raises(DataError, match="arrays; it takes"):
        indicator.compute(*columns, columns[0])
    with pytest.raises(DataError, match="dimensions"):
        indicator.compute(*(column[None] for column in columns))
    if len(columns) > 1:
        with pytest.raises(DataError, match="must be the same"):
            indicator.compute(*columns[:-1], columns[-1][:-1])


@every_indicator
def test_the_package_offers_its_function(kind):
    function = getattr(indicators, kind.function)
    assert kind.function in dir(indicators)
    assert kind.__doc__
    assert function.__doc__
    assert getattr(indicators, kind.__name__) is kind
    if kind.function != kind.name:  # one function for several, told apart by an argument
        return
    columns = columns_for(kind(), kind().lookback + 5)
    result = function(*columns)
    stacked = np.stack(result if isinstance(result, tuple) else (result,), axis=-1)
    assert_same_bits(stacked, results_of(kind(), columns))


class Centred(base.Indicator):
    """A planted look-ahead: the mean of the whole block."""

    lookback = 0

    def program(self, nodes):
        return lambda close: close - np.nanmean(close, axis=0)


class Forgetful(base.Indicator):
    """A planted fault of streaming: every block counts its rows from 0."""

    lookback = 0

    def program(self, nodes):
        return lambda close: close + np.arange(len(close))[:, None]


def test_planted_look_ahead_is_caught():
    columns = {"close": columns_for(Centred(), 30)[0]}
    with pytest.raises(LookAheadError, match="reads the future"):
        assert_prefix_invariant(
            lambda arrays: results_of(Centred(), list(arrays.values())), columns, cuts=[10]
        )


def test_planted_memory_of_blocks_is_caught():
    columns = columns_for(Forgetful(), 30)
    with pytest.raises(AssertionError):
        assert_same_bits(streamed(Forgetful(), columns, [4, 9]), results_of(Forgetful(), columns))
