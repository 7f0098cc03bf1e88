"""The frame: streams, saved state, several indicators in one walk."""

import subprocess
import sys

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant import indicators
from quant_assets.quant.indicators.nodes import Nodes
from quant_assets_tests.quant.indicators.bars import random_bars, with_holes


def test_stream_answers_in_the_shape_of_the_question():
    one, several = indicators.Sma(2).stream(), indicators.Sma(2).stream(3)
    assert np.isnan(one.update(1.0))
    assert one.update(2) == 1.5
    np.testing.assert_array_equal(one.update([4.0, 6.0]), [3.0, 5.0])
    assert several.update([1.0, 2.0, 3.0]).shape == (3,)
    np.testing.assert_array_equal(several.update(np.ones((2, 3)))[1], [1.0, 1.0, 1.0])
    assert one.update([]).shape == (0,)
    lines = indicators.Macd().stream().update(1.0)
    assert isinstance(lines, indicators.MacdLines)
    assert np.isnan(lines.histogram)


def test_stream_keeps_its_answers_and_leaves_the_values_alone():
    stream, values = indicators.Sma(1).stream(2), np.array([1.0, np.inf])
    first = stream.update(values)
    stream.update([5.0, 6.0])
    np.testing.assert_array_equal(first, [1.0, np.nan])
    np.testing.assert_array_equal(values, [1.0, np.inf])


def test_stream_refuses_other_shapes_and_counts():
    stream = indicators.Aroon(3).stream(2)
    with pytest.raises(DataError, match=r"1 arrays; it takes 2: high, low"):
        stream.update([1.0, 2.0])
    with pytest.raises(DataError, match=r"aroon: low has shape \(3,\), the others \(2,\)"):
        stream.update([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(DataError, match=r"shape \(3,\); this stream takes \(2,\) or \(rows, sym"):
        stream.update([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    with pytest.raises(DataError, match=r"this stream takes \(\) or \(rows,\)"):
        indicators.Sma(2).stream().update(np.ones((2, 2)))


def test_state_of_something_else_is_refused():
    state = indicators.Sma(5).stream(2).state()
    with pytest.raises(DataError, match=r"state has indicator 'Sma\(n=5\)'; this stream has 'Sma"):
        indicators.Sma(6).stream(2).restore(state)
    with pytest.raises(DataError, match="n_symbols 2; this stream has 3"):
        indicators.Sma(5).stream(3).restore(state)
    with pytest.raises(DataError, match="version 'nothing'"):
        indicators.Sma(5).stream(2).restore({})


def test_state_is_a_copy():
    stream = indicators.Sma(2).stream()
    stream.update([1.0, 2.0, 3.0])
    state = stream.state()
    stream.update([100.0, 200.0])
    assert indicators.Sma(2).stream().restore(state).update(5.0) == 4.0


def test_several_in_one_walk_give_the_bits_of_each_alone():
    """What they share is computed once, whatever the order; another column is another thing."""
    bars = with_holes(random_bars(400, 3), 0.01)
    several = {
        "adx": indicators.Adx(),
        "plus": indicators.PlusDi(),
        "fast": indicators.Macd(),
        "ppo": indicators.Ppo(),
        "ema": indicators.Ema(12),
        "ema of volume": indicators.Ema(12).on("volume"),
        "ema of 13": indicators.Ema(13),
        "trix": indicators.Trix(12),
        "tema": indicators.Tema(12),
    }
    for order in (list(several), list(several)[::-1]):
        together = indicators.compute_all({name: several[name] for name in order}, bars)
        for name, indicator in several.items():
            alone = indicator.compute(*(bars[column] for column in indicator.inputs))
            np.testing.assert_array_equal(together[name], alone)


def test_several_in_one_walk_compute_the_common_part_once(monkeypatch):
    from quant_assets.quant.indicators import nodes_kernel

    counted = []

    def counting(*arguments):
        counted.append(1)
        return kernel(*arguments)

    kernel = nodes_kernel.true_range
    monkeypatch.setattr(nodes_kernel, "true_range", counting)
    bars = random_bars(50)
    indicators.compute_all({str(n): indicators.Adx(n) for n in (5, 6, 7)}, bars)
    assert len(counted) == 1


def test_missing_column_is_named():
    with pytest.raises(DataError, match="no column low; there are close, high"):
        indicators.compute_all({"wr": indicators.WilliamsR()}, {"high": [1.0], "close": [1.0]})


def test_other_columns_are_counted():
    assert indicators.Sma(3).on("volume").inputs == ("volume",)
    assert indicators.Sma.inputs == ("close",)
    with pytest.raises(ConfigError, match="it reads 2: high, low"):
        indicators.Aroon().on("high")


def test_text_and_objects_are_refused():
    with pytest.raises(DataError, match="numbers are wanted"):
        indicators.sma(["a", "b"], 2)


def test_parameters_that_must_increase_are_compared():
    with pytest.raises(ConfigError, match="fast = 26 and slow = 12; fast must be less than slow"):
        indicators.macd([1.0], 26, 12)


def test_a_frame_and_a_list_are_taken_as_numbers():
    pd = pytest.importorskip("pandas")
    bars = random_bars(30, 2)
    frame = pd.DataFrame(bars["close"])
    np.testing.assert_array_equal(indicators.ema(frame, 3), indicators.ema(bars["close"], 3))
    assert indicators.ema([1, 2, 3], 3)[2] == 2.0


def test_nodes_count_the_rows_of_their_run_only():
    nodes = Nodes(2)
    mean = nodes.mean(2)
    np.testing.assert_array_equal(mean(np.array([[1.0, 3.0], [3.0, 5.0]]))[1], [2.0, 4.0])
    assert nodes.seen == 0


IMPORT = """
import sys, time
import numpy, pandas, numba
began = time.perf_counter()
from quant_assets.quant import indicators
indicators.Sma
took = time.perf_counter() - began
assert "dagster" not in sys.modules and "pandera" not in sys.modules
assert not any(name.endswith("_kernel") for name in sys.modules), "kernels are loaded when used"
print(took)
"""


@pytest.mark.slow
def test_the_package_is_light_and_knows_neither_dagster_nor_pandera():
    run = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True, timeout=60
    )
    assert float(run.stdout) < 1.0  # 0.05 s on a quiet machine
