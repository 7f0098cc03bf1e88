"""Rules and indicators on longer timeframes: by hand, in both forms, in files, without a leak."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.indicators.averages import Sma
from quant_assets.quant.indicators.oscillators import Rsi
from quant_assets.quant.indicators.volatility import BollingerBands
from quant_assets.quant.leaks import assert_no_leak, check_strategy
from quant_assets.quant.market.longer_bars import current_bar, longer_bars, timeframe_columns
from quant_assets.quant.strategies import (
    BarStrategy,
    IndicatorCache,
    Line,
    Middleware,
    Signals,
    StrategyBuilder,
    StrategyTester,
    TimedIndicator,
    compute_lines,
    load_strategy,
    param_hash,
    strategy_hash,
    strategy_schema,
)
from quant_assets.quant.strategies import rules as named
from quant_assets.quant.strategies.columns import PanelRows
from quant_assets_tests.quant.strategies.json_schema import is_valid
from quant_assets_tests.quant.strategies.markets import random_bars

MINUTES = 1 / 1440
FILE = """\
strategy: mixed
version: "1.0.0"
runtime:
  candle_interval: "5m"
components:
  indicators:
    - rsi: {period: 4, timeframe: 1h}
    - bollinger_bands: {period: 6}
  signals:
    entry_long:
      - rsi_oversold: {threshold: 45}
      - any: [bb_lower_touch, {ma_cross_up: {fast: 2, slow: 4, timeframe: 4h}}]
    exit_long:
      - not: {rsi_oversold: {threshold: 45}}
"""


def five_minutes(rows=900, **more):
    return random_bars(rows, ("A", "B"), days=5 * MINUTES, **more)


def small(entry, exit_long=None):
    return StrategyBuilder("small").with_signals(entry_long=entry, exit_long=exit_long).build()


def trades_of(strategy, bars):
    vector, single = (backtest(strategy, bars, form=form) for form in ("vector", "bar"))
    pd.testing.assert_frame_equal(vector.trades, single.trades, check_exact=True)
    pd.testing.assert_frame_equal(vector.equity, single.equity, check_exact=True)
    return vector.trades


def test_rule_on_an_hour_is_asked_of_hours_and_known_when_they_end():
    bars = five_minutes(60)
    rule = named.ConsecutiveUp(bars=1)
    hours = bars.close[11::12]
    answers = np.full(bars.close.shape, np.nan)
    for hour in range(1, len(hours)):  # one hour before it is needed
        answers[12 * hour + 11 : 12 * hour + 23] = hours[hour] > hours[hour - 1]
    holds, refuted = rule.on("1h").verdict(PanelRows(bars))
    np.testing.assert_array_equal(holds, answers == 1.0)
    np.testing.assert_array_equal(refuted, answers == 0.0)
    assert holds.any()
    assert refuted.any()
    assert not (holds | refuted)[:23].any()


def test_line_on_an_hour_is_the_indicator_of_hours():
    bars = five_minutes(200, holes=0.05)
    line = Line(Sma(3)).on("1h")
    assert line.key == "1h:Sma(n=3)(close).sma"
    found = compute_lines([line, Line(Sma(3))], bars)
    longer = longer_bars(bars, "1h")
    expected = longer.on_primary(Sma(3).compute(longer.bars.close))
    np.testing.assert_array_equal(found[line.key], expected)
    np.testing.assert_array_equal(found[Line(Sma(3)).key], Sma(3).compute(bars.close))
    assert line == Line(Sma(3)).on("1h")
    assert line != Line(Sma(3)).on("4h")
    assert line != Line(Sma(3))


def test_whole_condition_moves_and_may_hold_a_longer_one():
    bars = five_minutes(900)
    up, high = named.ConsecutiveUp(bars=1), named.RsiOverbought(period=3, threshold=50.0)
    rows = PanelRows(bars)
    together = (up & ~high).on("1h").verdict(rows)
    apart = (up.on("1h") & ~high.on("1h")).verdict(rows)
    np.testing.assert_array_equal(together, apart)
    nested, plain = (up & high.on("4h")).on("1h"), up.on("1h") & high.on("4h")
    np.testing.assert_array_equal(nested.verdict(rows)[0], plain.verdict(rows)[0])
    assert plain.holds(rows).any()
    assert nested.names() == ["consecutive_up on 1h", "rsi_overbought on 4h on 1h"]
    assert param_hash(small(up.on("1h"))) != param_hash(small(up.on("4h")))
    assert strategy_hash(small(up.on("1h"))) != strategy_hash(small(up))


def test_both_forms_trade_alike_on_mixed_timeframes():
    entry = [named.RsiOversold(period=4, threshold=45.0).on("1h"), named.ConsecutiveDown(bars=1)]
    exit_long = named.MaCrossDown(fast=2, slow=4).on("4h") | named.RsiOverbought(period=4).on("1h")
    strategy = small(entry, exit_long)
    assert len(trades_of(strategy, five_minutes(holes=0.03))) > 5


@pytest.mark.slow
@pytest.mark.parametrize(("minutes", "rows"), [(1, 9000), (5, 3000), (15, 1500), (60, 900)])
def test_every_mix_of_timeframes_trades_alike_in_both_forms(minutes, rows):
    bars = random_bars(rows, ("A", "B"), days=minutes * MINUTES, holes=0.02)
    longer = [one for one, n in (("5m", 5), ("15m", 15), ("1h", 60), ("4h", 240)) if n > minutes]
    rules = [named.ConsecutiveUp(bars=1).on(one) for one in longer]
    day = named.ConsecutiveDown(bars=1).on("1d")
    entry = [rules[0] | rules[-1], named.ConsecutiveDown(bars=1)]
    strategy = small(entry, day | ~rules[len(rules) // 2])
    assert len(trades_of(strategy, bars)) > 5


@pytest.mark.slow
@pytest.mark.parametrize("holes", [0.0, 0.05])
def test_mixed_timeframes_pass_the_leak_check(holes):
    entry = [named.RsiOversold(period=4, threshold=45.0).on("1h"), named.ConsecutiveDown(bars=1)]
    strategy = small(entry, named.MaCrossDown(fast=2, slow=4).on("4h"))
    bars = five_minutes(1200, holes=holes)
    assert check_strategy(strategy, bars).trusted
    StrategyTester(strategy, bars.rows(slice(0, 200))).check()


@pytest.mark.slow
def test_leak_check_finds_hours_that_are_shown_from_their_open_on():
    @dataclass(frozen=True, kw_only=True)
    class Naive(Middleware):
        name: ClassVar[str] = "naive"

        def prepare(self, bars):
            hours = longer_bars(bars, "1h").bars
            rows = np.searchsorted(hours.ts, bars.ts, side="right") - 1
            return {"naive": hours.close[rows]}

        def apply(self, proposal, rows):
            return proposal.without_entries(rows["naive"] > rows["close"], reason="naive")

    builder = StrategyBuilder("naive").with_signals(entry_long=named.ConsecutiveDown(bars=1))
    report = check_strategy(builder.with_middleware(Naive()).build(), five_minutes(300))
    assert report.verdict == "leak"


def test_middleware_reads_lines_and_bars_of_a_longer_timeframe():
    @dataclass(frozen=True, kw_only=True)
    class Calm(Middleware):
        name: ClassVar[str] = "calm"
        line: ClassVar = Line(Rsi(4)).on("1h")

        def lines(self):
            return (self.line,)

        def prepare(self, bars):
            return timeframe_columns(bars, "4h")

        def apply(self, proposal, rows):
            wild = (rows[self.line] > 60.0) | (rows["close"] > rows["4h.high"])
            return proposal.without_entries(wild, reason="wild")

    builder = StrategyBuilder("calm").with_signals(
        entry_long=named.ConsecutiveUp(bars=1), exit_long=named.ConsecutiveDown(bars=2)
    )
    strategy = builder.with_middleware(Calm()).build()
    bars = five_minutes(400)
    assert 3 < len(trades_of(strategy, bars)) < len(backtest(builder.build(), bars).trades)


@pytest.mark.slow
def test_bar_strategy_asks_for_the_current_bar():
    @dataclass(frozen=True, kw_only=True)
    class AboveTheHour(BarStrategy):
        name: ClassVar[str] = "above_the_hour"

        def indicators(self, bars):
            return timeframe_columns(bars, "1h")

        def on_bar(self, window, account):
            hour = current_bar(window, "1h")
            if hour is None:
                return None
            above = window["close", -1] > hour["high"]
            return Signals(entry_long=above, exit_long=~above)

    bars = five_minutes(200)
    signals = StrategyTester(AboveTheHour(), bars).signals()
    highs = np.full(bars.close.shape, np.nan)
    for row in range(11, len(bars)):
        hour = (row + 1) // 12 * 12
        highs[row] = bars.high[hour - 12 : hour].max(axis=0)
    np.testing.assert_array_equal(signals.entry_long, bars.close > highs)
    assert signals.entry_long.any()
    assert len(backtest(AboveTheHour(), bars).trades) > 0
    assert_no_leak(AboveTheHour(), bars)


def test_cache_knows_columns_of_longer_timeframes_and_the_bars_they_are_made_of():
    bars, cache = five_minutes(100), IndicatorCache()
    line = Line(Sma(2)).on("1h")
    first = compute_lines([line], bars, cache)[line.key]
    assert compute_lines([line], bars, cache)[line.key] is first
    assert (cache.hits, cache.misses) == (1, 1)
    later = bars.rows(slice(3, 100))
    found = compute_lines([line], later, cache)[line.key]
    np.testing.assert_array_equal(found, compute_lines([line], later)[line.key])


def test_file_says_the_timeframe_of_rules_and_indicators():
    loaded = load_strategy(FILE)
    oversold = named.RsiOversold(period=4, threshold=45.0).on("1h")
    cross = named.MaCrossUp(fast=2, slow=4).on("4h")
    expected = (
        StrategyBuilder("mixed", "1.0.0")
        .with_indicators(TimedIndicator(Rsi(4), "1h"), BollingerBands(6))
        .with_signals(
            entry_long=[oversold, named.BbLowerTouch(period=6) | cross], exit_long=~oversold
        )
        .build()
    )
    assert loaded.strategy == expected
    assert loaded.strategy.lines()[0] == Line(Rsi(4)).on("1h")
    assert len(trades_of(loaded.strategy, five_minutes())) > 3
    schema = strategy_schema()
    assert is_valid(loaded.data, schema, schema)
    wrong = load_strategy(FILE).data | {"components": {"indicators": [{"rsi": {"timeframe": 60}}]}}
    assert not is_valid(wrong, schema, schema)


def test_rule_takes_the_indicator_of_its_own_timeframe_where_several_are_declared():
    both = FILE.replace("indicators:\n", "indicators:\n    - rsi: {period: 9}\n")
    source = load_strategy(both).strategy.middlewares[1].source
    assert source.entry_long.members[0] == named.RsiOversold(period=9, threshold=45.0)
    hour = load_strategy(both.replace("threshold: 45", "threshold: 45, timeframe: 1h"))
    assert hour.strategy.middlewares[1].source.entry_long.members[0] == (
        named.RsiOversold(period=4, threshold=45.0).on("1h")
    )


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("period: 4, timeframe: 1h", "period: 4, timeframe: 1H", "7: components.indicators.0.rsi",
         "'1H' is not a duration"),
        ("timeframe: 4h", "timeframe: hourly", "12: components.signals.entry_long.1.any.1",
         "is not a duration"),
        ("timeframe: 4h", "timeframe: 7m", "12: ", "7m is no whole multiple of the bars of 5m"),
        ("timeframe: 4h", "timeframe: 1m", "12: ", "shorter than the bars of 5m"),
        ("timeframe: 4h", "timeframe: 60", "12: ", "60 is none; write for example"),
        ("timeframe: 4h", "timefrme: 4h", "12: ", "unknown key"),
    ],
)  # fmt: skip
def test_file_with_a_wrong_timeframe_is_refused_with_its_line(old, new, place, message):
    with pytest.raises(ConfigError) as caught:
        load_strategy(FILE.replace(old, new))
    assert f"<text>:{place}" in str(caught.value)
    assert message in str(caught.value)


def test_timeframe_that_the_bars_cannot_make_is_refused():
    with pytest.raises(ConfigError, match="'1H' is not a duration"):
        named.RsiOversold().on("1H")
    with pytest.raises(ConfigError, match="is none"):
        Line(Rsi(3)).on("0m")
    for timeframe in ("8m", "1m"):
        with pytest.raises(ConfigError, match=r"is (shorter|no).* the bars of 5m"):
            small(named.RsiOversold().on(timeframe)).signals(five_minutes(50))
    with pytest.raises(DataError, match="the bars have no 'funding_rate'"):
        small(named.FundingAbove().on("1h")).signals(five_minutes(50))


def first_decision(strategy, bars):
    """The first row on which an entry that always holds is let through."""
    entries = [np.flatnonzero(strategy.signals(bars).entry_long.any(axis=1))]
    shown = StrategyTester(strategy, bars).bar_by_bar()
    entries.append(np.flatnonzero(shown.entry_long.any(axis=1)))
    assert entries[0][0] == entries[1][0]
    return int(entries[0][0])


ALWAYS = named.PriceAboveMa(period=1) | ~named.PriceAboveMa(period=1)
HOURLY = named.PriceAboveMa(period=3).on(
    "1h"
)  # three hours: known from the end of the third one on


@pytest.mark.parametrize(
    ("skipped", "first"),
    # twelve bars of five minutes an hour; the hour that is under way at the start does not count
    [(0, 35), (1, 46), (5, 42), (11, 36), (12, 35)],
)
def test_warm_up_is_exact_from_wherever_the_data_begin(skipped, first):
    bars = five_minutes(120).rows(slice(skipped, None))
    strategy = small(ALWAYS | HOURLY)
    assert strategy.warm_up_on(bars) == first
    assert first_decision(strategy, bars) == first
    fills = backtest(strategy, bars).fills
    assert bars.ts.searchsorted(fills["ts"].min().to_datetime64()) == first + 1
    assert strategy.warm_up == 2
    assert strategy.least_warm_up(bars.bar_length) == 35


def test_warm_up_counts_bars_that_are_missing_and_timeframes_within_timeframes():
    bars = five_minutes(900)
    nested = (named.PriceAboveMa(period=2) & named.ConsecutiveUp(bars=1).on("4h")).on("1h")
    strategy = small(ALWAYS | nested)
    assert strategy.warm_up_on(bars) == 2 * 48 - 1  # two bars of four hours, told to hours
    gone = np.ones(900, dtype=bool)
    gone[20:30] = False  # an hour of two bars is over when the next one begins
    fields = {name: bars[name][gone] for name in ("open", "high", "low", "close", "volume")}
    holed = type(bars).from_arrays(bars.ts[gone], bars.symbols, bars.bar_length, **fields)
    assert small(ALWAYS | HOURLY).warm_up_on(holed) == 35 - 10
    never = bars.rows(slice(0, 30))
    assert small(ALWAYS | HOURLY).warm_up_on(never) == 35
    assert not small(ALWAYS | HOURLY).signals(never).entry_long.any()


def test_stated_warm_up_that_is_too_short_is_refused_with_what_is_needed():
    builder = StrategyBuilder("short").with_signals(entry_long=ALWAYS | HOURLY)
    bars = five_minutes(120)
    enough = builder.with_warm_up(40).build()
    assert enough.warm_up_on(bars) == 40
    begins = backtest(enough, bars).fills["ts"].min().to_datetime64()
    assert bars.ts.searchsorted(begins) == 41
    later = bars.rows(slice(1, None))
    for form in ("vector", "bar"):
        with pytest.raises(ConfigError, match=r"warm-up of 40 bars; its signals need 46 .* 1h"):
            backtest(enough, later, form=form)
    stated = '"5m"\n  warmup_periods: '
    assert load_strategy(FILE.replace('"5m"', f"{stated}239")).strategy.warm_up == 239
    with pytest.raises(ConfigError, match="need 239 bars of 5m or more"):
        load_strategy(FILE.replace('"5m"', f"{stated}100"))  # five bars of four hours


@pytest.mark.slow
def test_strategy_that_waits_for_an_hour_passes_the_leak_check():
    assert_no_leak(small(ALWAYS | HOURLY), five_minutes(600, holes=0.02))
