"""10,000 random steps from windows, by any means that lead from one object to another."""

import copy
import gc
import pickle

import numpy as np
import pytest

from quant_assets.quant.market.data_window import DataWindow
from quant_assets_tests.quant.market.test_data_window import ROWS, availability, clean, make

pytestmark = pytest.mark.slow

STEPS, WALKS = 50, 200
PLAIN = (str, bytes, int, float, bool, type(None), type, np.generic)


def attribute(item, rng):
    return getattr(item, str(rng.choice(dir(item))))


def element(item, rng):
    if isinstance(item, dict):
        return item[list(item)[int(rng.integers(len(item)))]]
    if isinstance(item, DataWindow):
        name = str(rng.choice(item.names))
        return item[name] if rng.random() < 0.3 else item[name, random_slice(rng)]
    return item[random_slice(rng)]


def random_slice(rng):
    first, last = (int(i) for i in rng.integers(-120, 120, 2))
    return first if rng.random() < 0.3 else slice(first, last, int(rng.choice([-2, -1, 1, 3])))


def referent(item, rng):
    found = gc.get_referents(item)
    return found[int(rng.integers(len(found)))]


def called(item, rng):
    """A method without arguments that gives something; what writes or blocks is left out."""
    names = [
        "historical",
        "current",
        "indicators",
        "copy",
        "view",
        "ravel",
        "__reduce__",
        "tobytes",
    ]
    return getattr(item, str(rng.choice(names)))()


ACTIONS = {
    "attribute": attribute,
    "element": element,
    "referent": referent,
    "called": called,
    "base": lambda item, rng: item.base,
    "view": lambda item, rng: item.view(np.ndarray),
    "asarray": lambda item, rng: np.asarray(item),
    "memory": lambda item, rng: np.frombuffer(memoryview(item).cast("B"), dtype=np.float64),
    "bytes": lambda item, rng: np.frombuffer(bytes(item), dtype=np.float64),
    "interface": lambda item, rng: np.asarray(
        type("Shown", (), {"__array_interface__": dict(item.__array_interface__)})()
    ).copy(),
    "copy": lambda item, rng: copy.copy(item),
    "deepcopy": lambda item, rng: copy.deepcopy(item),
    "pickle": lambda item, rng: pickle.loads(pickle.dumps(item)),  # noqa: S301 - our own
    "reshape": lambda item, rng: item.reshape(-1)[:: int(rng.choice([-1, 1, 2]))],
    "strided": lambda item, rng: np.lib.stride_tricks.sliding_window_view(item, 1, axis=0),
    "transposed": lambda item, rng: item.T,
    "dict": lambda item, rng: vars(item),
}


def numbers_in(item):
    """Floats and moments that an object shows at once."""
    if isinstance(item, np.ndarray | np.generic | float):
        return [np.asarray(item)]
    if isinstance(item, dict | tuple | list):
        values = item.values() if isinstance(item, dict) else item
        return [np.asarray(v) for v in values if isinstance(v, np.ndarray | np.generic | float)]
    return []


def looked_at(item, window, row):
    for numbers in numbers_in(item):
        whole_bits = numbers.dtype.kind in "fM" and numbers.dtype.itemsize == 8
        if whole_bits and not is_moment_bits(numbers):
            assert clean(window, row, numbers), (row, numbers)


def is_moment_bits(numbers):
    """Bytes of times read as floats are tiny; they say nothing about prices."""
    return numbers.dtype.kind == "f" and numbers.size and bool((np.abs(numbers) < 1e-300).all())


def walk(start, window, row, rng, steps):
    """Take steps from an object until `steps` of them have led somewhere; what was done."""
    done, item = dict.fromkeys(ACTIONS, 0), start
    while sum(done.values()) < steps:
        name = str(rng.choice(list(ACTIONS)))
        found = step(name, item, rng)
        if found is REFUSED:
            item = start if rng.random() < 0.1 else item
            continue
        looked_at(found, window, row)
        done[name] += 1
        item = start if isinstance(found, PLAIN) or callable(found) else found
        item = start if rng.random() < 0.15 else item
    return done


REFUSED = object()


def step(name, item, rng):
    try:
        return ACTIONS[name](item, rng)
    except Exception:  # noqa: BLE001 - a step that is refused, for whatever reason
        return REFUSED


def test_ten_thousand_random_steps_from_windows_reach_no_later_value():
    rng = np.random.default_rng(23)
    replay = make(availability(seed=2))
    windows = [replay.window(row) for row in sorted(rng.integers(0, ROWS, WALKS))]
    replay.window(ROWS - 1)
    walks = [walk(window, window, len(window) - 1, rng, STEPS) for window in windows]
    done = {name: sum(one[name] for one in walks) for name in ACTIONS}
    assert sum(done.values()) == STEPS * WALKS == 10_000
    assert min(count for name, count in done.items() if name != "dict") > 10, done
    assert not any(hasattr(window, "__dict__") for window in windows)


def test_a_slice_of_the_whole_data_is_found_out():
    rng = np.random.default_rng(5)
    window = make().window(20)
    whole = np.arange(1.0, ROWS + 1.0)[:, None]
    with pytest.raises(AssertionError):
        walk(whole[:21], window, 20, rng, 200)
    with pytest.raises(AssertionError):
        walk({"kept": [whole[:21].copy(), whole]}, window, 20, rng, 200)
