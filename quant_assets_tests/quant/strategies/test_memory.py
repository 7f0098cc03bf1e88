"""What declares a finite memory gives the same bits when earlier bars are left out."""

from dataclasses import MISSING, fields

import numpy as np
import pytest

from quant_assets.quant.indicators.base import catalogue
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.memory import NOTHING, Memory, joined
from quant_assets.quant.simulation.execution.slippage.half_spread import HalfSpread
from quant_assets.quant.simulation.execution.slippage.sqrt_volume import SqrtVolume
from quant_assets.quant.sizing.entry.base import entry_sizers
from quant_assets.quant.strategies.columns import (
    Line,
    PanelRows,
    compute_lines,
    indicator_memory,
)
from quant_assets.quant.strategies.library import library_strategies
from quant_assets.quant.strategies.regimes.moving_average_trend import MovingAverageTrend
from quant_assets.quant.strategies.rules.base import rules
from quant_assets_tests.quant.strategies.markets import random_bars

pytestmark = pytest.mark.slow

BARS = random_bars(rows=1_500, holes=0.01, seed=4)
LAST = 200  # rows whose values are compared
FINITE = {"indicators": 40, "rules": 15, "sizers": 6, "strategies": 6}


def parts(memory: Memory, bars: BarPanel = BARS) -> BarPanel:
    """The bars without those that do not matter to the last rows."""
    first = len(bars) - LAST - memory.rows
    assert first >= memory.period, "the sample leaves something out"
    return bars.rows(slice(first // memory.period * memory.period, None))


def same(whole: np.ndarray, part: np.ndarray, name: str) -> None:
    np.testing.assert_array_equal(part[-LAST:], whole[-LAST:], err_msg=name)


def made(kind: type):
    """One with the parameters as they are, or None where some must be given."""
    needed = [f for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]
    return None if needed else kind()


def test_indicators_with_a_memory_do_not_see_what_is_before_it():
    found = 0
    for name, kind in catalogue().items():
        indicator = made(kind)
        memory = None if indicator is None else indicator_memory(indicator)
        if memory is None or not set(indicator.inputs) <= set(BARS.columns()):
            continue
        if memory.rows + memory.period > len(BARS) - LAST:
            continue
        lines = [Line(indicator, output) for output in indicator.outputs]
        whole, part = compute_lines(lines, BARS), compute_lines(lines, parts(memory))
        for line in lines:
            same(whole[line.key], part[line.key], name)
        found += 1
    assert found >= FINITE["indicators"]


def test_recursive_indicators_have_no_memory_that_ends():
    known = {name: made(kind) for name, kind in catalogue().items()}
    endless = {n for n, one in known.items() if one is not None and indicator_memory(one) is None}
    assert {"ema", "rsi", "atr", "macd", "obv", "adx", "parabolic_sar"} <= endless
    assert not {"sma", "wma", "bollinger_bands", "donchian_channels", "roc"} & endless


def test_rules_with_a_memory_answer_the_same():
    found = 0
    for name, kind in rules().items():
        rule = made(kind)
        memory = None if rule is None else rule.memory(BARS.bar_length)
        if memory is None or name.startswith("funding"):
            continue
        for whole, part in zip(
            rule.verdict(PanelRows(BARS)), rule.verdict(PanelRows(parts(memory))), strict=True
        ):
            same(whole, part, name)
        found += 1
    assert found >= FINITE["rules"]


def test_rules_on_longer_bars_count_their_memory_in_bars_of_the_strategy():
    hours = random_bars(rows=2_400, days=1 / 24, seed=8)
    known = rules()
    high = known["new_high"](period=5).on("4h")
    memory = high.memory(hours.bar_length)
    assert memory is not None
    assert (memory.period, memory.timeframes) == (1, (("4h", 5),))
    assert memory.rows == 4 * (5 + 1 + 2)
    whole = high.holds(PanelRows(hours))
    for left_out in range(4 * 5 * 90, 4 * 5 * 91, 4):  # ends with whole bars of 4h
        part = high.holds(PanelRows(hours.rows(slice(left_out, None))))
        same(whole, part, f"new_high on 4h without {left_out}")
    assert whole[-LAST:].any()
    ema = known["ma_cross_up"](fast=3, slow=9, average="ema")
    assert ema.on("4h").memory(hours.bar_length) is None


def test_sizers_with_a_memory_give_the_same_sizes():
    found = 0
    for name, kind in entry_sizers().items():
        more = {"periods_per_year": 365.0} if name == "volatility_target" else {}
        sizer = kind(**more)
        if sizer.memory is None:
            continue
        bars = parts(sizer.memory)
        whole, part = (
            np.broadcast_to(sizer.sizes(one).size, one.close.shape) for one in (BARS, bars)
        )
        same(whole, part, name)
        found += 1
    assert found >= FINITE["sizers"]
    assert entry_sizers()["volatility_target"]().memory is None
    assert entry_sizers()["atr_risk"]().memory is None


def test_regimes_and_slippage_with_a_memory_are_the_same():
    trend = MovingAverageTrend(fast=5, slow=20)
    assert trend.memory is not None
    whole, part = trend.classify(BARS), trend.classify(parts(trend.memory))
    same(whole.code, part.code, "label")
    same(whole.confidence, part.confidence, "confidence")
    assert MovingAverageTrend(average="ema").memory is None
    model = SqrtVolume(lookback=15)
    for one, other in zip(model.arrays(BARS), model.arrays(parts(model.memory)), strict=True):
        if one.size:
            same(one, other, "impact")
    assert HalfSpread().memory == NOTHING


def test_strategies_of_the_library_with_a_memory_decide_the_same():
    found = 0
    for name, kind in library_strategies().items():
        strategy = made(kind)
        memory = None if strategy is None else strategy.memory(BARS.bar_length)
        if memory is None or memory.rows + memory.period > len(BARS) - LAST:
            continue
        whole, part = strategy.signals(BARS), strategy.signals(parts(memory))
        for signal in ("entry_long", "exit_long", "entry_short", "exit_short", "target"):
            values = getattr(whole, signal)
            if values is not None:
                same(values, getattr(part, signal), f"{name} {signal}")
        found += 1
    assert found >= FINITE["strategies"]


def test_joined_memories_are_the_longest_and_align_with_all():
    assert joined([]) == NOTHING
    assert joined([Memory(5, 4), Memory(9, 6)]) == Memory(9, 12)
    assert joined([Memory(5, 4), None]) is None
    assert Memory(5, 4).longer(3) == Memory(8, 4)
    hours = Memory(5, 4, (("1h", 3),))
    assert joined([hours, Memory(1, 1, (("1d", 2), ("1h", 2)))]) == Memory(
        5, 4, (("1d", 2), ("1h", 6))
    )
    assert hours.longer(2) == Memory(7, 4, (("1h", 3),))
