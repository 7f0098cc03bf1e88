"""No path from a window leads to a value that was not known at its decision."""

import copy
import gc
import pickle
import types

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

from quant_assets.core.errors import ConfigError, DataError, LookAheadError
from quant_assets.quant.market.data_window import DataWindow, Replay
from quant_assets.quant.market.panel import Panel

pytestmark = pytest.mark.slow

ROWS, SYMBOLS = 90, ("A", "B", "C")
MINUTE = np.timedelta64(1, "m")
START = np.datetime64("2024-01-01T00:00", "us")
TS = START + np.arange(ROWS) * MINUTE
CLOSES = TS + MINUTE
NAMES = ("close", "volume", "trend", "rank")


def availability(seed=0):
    """Minute bars, of which some cells come up to 20 minutes late."""
    rng = np.random.default_rng(seed)
    late = np.where(rng.random((ROWS, 3)) < 0.05, rng.integers(1, 20, (ROWS, 3)), 0)
    return CLOSES[:, None] + late * MINUTE


def minutes(moments):
    return (moments - START) / MINUTE


def told(known):
    """Values that tell when they could be known, in minutes after START."""
    return np.broadcast_to(minutes(known).reshape(ROWS, -1), (ROWS, 3)).astype(np.float64)


def make(available_at=None):
    available_at = availability() if available_at is None else available_at
    past = np.maximum.accumulate(available_at.reshape(ROWS, -1), axis=0)
    index = pd.DatetimeIndex(TS).tz_localize("UTC")
    panels = {name: Panel(told(available_at), index, SYMBOLS) for name in NAMES[:2]}
    return Replay(
        panels,
        available_at=available_at,
        decided_at=CLOSES,
        indicators={"trend": told(past)},
        cross_sections={"rank": told(past.max(axis=1, keepdims=True))},
    )


REPLAY = make()  # nothing changes it but stepping


def clean(window, row, values):
    """True when no number was known only after the decision of `row`."""
    numbers = np.asarray(values)
    if numbers.dtype.kind == "M":
        return bool((numbers <= (TS[row] if numbers.ndim else window.decided_at)).all())
    if numbers.dtype.kind != "f":
        return True
    return not (numbers > minutes(window.decided_at)).any()


def reached(start):
    """All arrays that lead from an object by references, attributes, bases and buffers."""
    seen, pending = {}, [start]
    while pending:
        item = pending.pop()
        if id(item) in seen or isinstance(item, (type, types.ModuleType, types.FunctionType)):
            continue
        seen[id(item)] = item
        pending += gc.get_referents(item)
        pending += [getattr(item, n, None) for n in ("base", "__dict__", "obj", "__self__")]
        for slot in getattr(type(item), "__slots__", ()):
            pending.append(getattr(item, slot, None))
        if hasattr(item, "__array_interface__"):
            pending.append(np.asarray(item))
    return [item for item in seen.values() if isinstance(item, np.ndarray)]


def test_window_shows_what_was_known_and_nan_for_the_rest():
    available_at = availability()
    for row, window in enumerate(make(available_at)):
        assert len(window) == row + 1
        known = available_at[: row + 1] <= CLOSES[row]
        expected = np.where(known, told(available_at)[: row + 1], np.nan)
        np.testing.assert_array_equal(window["close"], expected)
        past = np.maximum.accumulate(available_at, axis=0)[: row + 1]
        trend = np.where(past <= CLOSES[row], minutes(past), np.nan)
        np.testing.assert_array_equal(window.indicators()["trend"], trend)
        assert window.ts.tolist() == TS[: row + 1].tolist()


def test_window_parts_by_hand():
    window = make(CLOSES).window(3)
    assert window["close"].tolist() == [[1.0] * 3, [2.0] * 3, [3.0] * 3, [4.0] * 3]
    assert window.current()["volume"].tolist() == [4.0] * 3
    assert set(window.current()) == {"close", "volume"}
    assert window.historical()["close"][:, 0].tolist() == [1.0, 2.0, 3.0]
    assert window.historical(2)["close"][:, 0].tolist() == [2.0, 3.0]
    assert window.historical(0)["close"].shape == (0, 3)
    assert window.historical(99)["close"].shape == (3, 3)
    assert set(window.indicators()) == {"trend", "rank"}
    assert window["close", -2:].tolist() == [[3.0] * 3, [4.0] * 3]
    assert window["close", 1:2].tolist() == [[2.0] * 3]
    assert window.names == NAMES
    assert "4 rows of 3 symbols" in repr(window)


@pytest.mark.parametrize(
    "rows", [4, 99, slice(0, 5), slice(5, None), slice(None, 10**9), slice(7, 9)]
)
def test_window_rows_beyond_the_current_one_raise_look_ahead_error(rows):
    with pytest.raises(LookAheadError, match=r"2024-01-01T00:04.* when 4 rows were known"):
        make(CLOSES).window(3)["close", rows]


def test_window_writing_raises():
    window = REPLAY.window(30)
    values, moments = window["close"], window.ts
    for array in (values, values[2:], values.base, moments, *window.current().values()):
        if isinstance(array, np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
            with pytest.raises(ValueError, match="WRITEABLE"):
                array.setflags(write=True)
    with pytest.raises(AttributeError, match="decided_at cannot be set"):
        window.decided_at = CLOSES[-1]
    with pytest.raises(AttributeError, match="_values cannot be deleted"):
        del window._values
    with pytest.raises(TypeError):
        window["close"] = values
    with pytest.raises(AttributeError):
        _ = window.__dict__


@pytest.mark.parametrize("row", [0, 7, 63, 64, ROWS - 1])
def test_window_no_reference_leads_to_later_values(row):
    replay = make()
    window = replay.window(row)
    kept = [window["close"], window["rank", -1], window.ts]
    before = [array.copy() for array in kept]
    replay.window(ROWS - 1)  # the replay goes on, the window must not
    for start in (window, *kept, copy.copy(window), copy.deepcopy(window)):
        found = reached(start)
        assert found
        assert all(clean(window, row, array) for array in found)
    for array, old in zip(kept, before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_window_pickle_holds_its_own_rows_only():
    window = REPLAY.window(20)
    data = pickle.dumps(window)
    again = pickle.loads(data)  # noqa: S301 - our own
    assert isinstance(again, DataWindow)
    for name in NAMES:
        np.testing.assert_array_equal(again[name], window[name])
        with pytest.raises(ValueError, match="WRITEABLE"):
            again[name].setflags(write=True)
    assert again.ts.tolist() == window.ts.tolist()
    assert all(clean(window, 20, array) for array in reached(again))
    for later in range(22, ROWS + 1):
        assert np.float64(later).tobytes() not in data
    array = pickle.dumps(window["close"], protocol=5)
    assert np.float64(22).tobytes() not in array


def test_window_over_reading_the_buffer_finds_no_later_value():
    window = make(CLOSES).window(10)  # the buffer has room for 64 rows
    values = window["close"]
    beyond = as_strided(values, shape=(60, 3))
    assert not (beyond > 11.0).any()


def test_window_arrays_outlive_their_replay():
    arrays = [make(CLOSES).window(row)["close"] for row in range(0, ROWS, 7)]
    gc.collect()
    _ = [np.full((4, 64, 3), 1e9) for _ in range(200)]
    for row, values in zip(range(0, ROWS, 7), arrays, strict=True):
        assert values[:, 0].tolist() == list(range(1, row + 2))


ACCESSES = st.one_of(
    st.tuples(st.just("row"), st.integers(-100, 120), st.none()),
    st.tuples(st.just("slice"), *[st.none() | st.integers(-100, 120)] * 2),
    st.tuples(st.just("past"), st.integers(0, 120), st.none()),
)


def attempt(window, name, access):
    """What an access gives; None when it is refused."""
    kind, first, after = access
    try:
        if kind == "past":
            return window.historical(first).get(name)
        return window[name, first if kind == "row" else slice(first, after)]
    except (LookAheadError, IndexError):
        return None


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, ROWS - 1), st.sampled_from(NAMES), ACCESSES),
        min_size=20,
        max_size=40,
    )
)
def test_window_any_accesses_in_any_order_give_no_later_value(steps):
    windows = []
    for row, name, access in steps:
        window = REPLAY.window(row)
        windows.append((row, window, name, access))
    for row, window, name, access in windows:
        values = attempt(window, name, access)
        if values is None:
            continue
        paths = (values, values.base, pickle.loads(pickle.dumps(values)))  # noqa: S301 - our own
        assert all(clean(window, row, np.asarray(path)) for path in paths)
        assert not values.flags.writeable


def test_window_ten_thousand_random_accesses_give_no_later_value():
    rng = np.random.default_rng(11)
    replay = make(availability(seed=1))
    windows = list(replay)
    for row, column, kind, first, after in rng.integers(
        [0, 0, 0, -100, -100], [ROWS, 4, 3, 120, 120], (10_000, 5)
    ).tolist():
        access = (("row", "slice", "past")[kind], abs(first) if kind == 2 else first, after)
        values = attempt(windows[row], NAMES[column], access)
        assert values is None or clean(windows[row], row, values)


def test_replay_wrong_inputs_are_refused():
    index = pd.DatetimeIndex(TS).tz_localize("UTC")
    panel = Panel(told(CLOSES[:, None]), index, SYMBOLS)
    other = Panel(panel.values[:, :2], index, SYMBOLS[:2])
    times = {"available_at": CLOSES, "decided_at": CLOSES}
    with pytest.raises(ConfigError, match="at least one panel"):
        Replay({}, **times)
    with pytest.raises(DataError, match="'low' has other rows or symbols than 'close'"):
        Replay({"close": panel, "low": other}, **times)
    with pytest.raises(DataError, match=r"'x' is float64 \(90, 2\)"):
        Replay({"close": panel}, **times, indicators={"x": other.values})
    with pytest.raises(DataError, match="none of"):
        Replay({"close": panel}, **times, cross_sections={"close": panel.values})
    with pytest.raises(DataError, match="decided_at"):
        Replay({"close": panel}, available_at=CLOSES, decided_at=CLOSES[1:])
    with pytest.raises(DataError, match="row 1 lies before"):
        Replay({"close": panel}, available_at=CLOSES, decided_at=CLOSES[::-1])
    replay = Replay({"close": panel}, **times)
    with pytest.raises(IndexError, match="row 90 of 90"):
        replay.window(ROWS)
    with pytest.raises(DataError, match="no 'open'; it has close"):
        replay.window(3)["open"]
    with pytest.raises(ConfigError, match="-1 must not be negative"):
        replay.window(3).historical(-1)
