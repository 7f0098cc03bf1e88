"""Windows that read back only as far as their strategy remembers are the same run, to the bit."""

import json
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.core.context import StrategyContext
from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import RecordingTelemetry
from quant_assets.quant.leaks.strategy_venue import strategy_leaks_venue
from quant_assets.quant.market.funding_rates import with_funding_rate
from quant_assets.quant.market.memory import Memory
from quant_assets.quant.simulation.strategy_windows.history import memory_of
from quant_assets.quant.simulation.strategy_windows.reading import (
    execution_of,
    strategy_of,
    unfit_length,
)
from quant_assets.quant.strategies.base import BarStrategy
from quant_assets.quant.strategies.composed import compose
from quant_assets.quant.strategies.config import load_strategy
from quant_assets.quant.strategies.signals import Signals
from quant_assets.quant.strategies.stages import SignalMiddleware
from quant_assets_tests.quant.simulation.strategy_windows.runs import (
    bars_frame,
    market,
    step,
    values_of,
    walked,
    walked_back,
    windows_of,
)
from quant_assets_tests.quant.simulation.strategy_windows.test_windows import (
    FILES,
    assert_same_run,
    one_run,
)
from quant_assets_tests.quant.strategies.markets import random_bars

pytestmark = pytest.mark.slow

HEAD = """\
strategy: tried
version: "1.0.0"
components:
  signals:
"""
CROSS = """\
    entry_long: [{ma_cross_up: {fast: 3, slow: 9}}]
    exit_long: [{ma_cross_down: {fast: 3, slow: 9}}]
    entry_short: [{bb_upper_touch: {period: 7, std_dev: 1.5}}]
    exit_short: [{bb_lower_touch: {period: 7, std_dev: 1.0}}]
"""
RISK = """\
  sizing: {type: volatility_target, params: {target: 0.2, lookback: 21, periods_per_year: 365}}
  risk:
    - trailing_stop: {pct: 0.04}
    - max_correlation: {threshold: 0.9, lookback: 15}
    - drawdown_halt: {pct: 0.1, bars: 20}
  regime: {allowed: [bull, neutral, bear], classifier: {moving_average_trend: {fast: 7, slow: 21}}}
"""
COSTS = """\
execution:
  fill_model: {realistic_volume: {participation: 0.02, latency: 1}}
  commission_model: interactive_brokers
  slippage_model: {sqrt_volume: {lookback: 9}}
  cash_rate: 0.03
"""
TURTLE = """\
    entry_long: [{donchian_breakout_high: {period: 20}}]
    exit_long: [{donchian_breakout_low: {period: 10}}]
"""
LONGER = """\
    entry_long:
      - bb_lower_touch: {period: 6, std_dev: 1.0, timeframe: 1d}
      - consecutive_down: {bars: 2}
    exit_long: [{bb_upper_touch: {period: 5, std_dev: 1.0}}]
"""
BOUNDED = {
    "cross": HEAD + CROSS,
    "risk": HEAD + CROSS + RISK,
    "costs": HEAD + CROSS + RISK + COSTS,
    "turtle": HEAD + TURTLE,
}


def memory(text: str, **facts) -> Memory | None:
    loaded = strategy_of(values_of(text))
    window = windows_of(random_bars(rows=40))[0]
    known = {"venue": "v", "window": window, "decided_at": window.start, "mode": "carry"}
    return memory_of(loaded, StrategyContext(market=market(**facts), **known))


@pytest.mark.parametrize("text", BOUNDED.values(), ids=BOUNDED)
def test_windows_that_read_little_make_up_the_run_over_everything(text: str):
    bars = random_bars(rows=420, holes=0.03, seed=11)
    run = one_run(text, bars)
    windows = windows_of(bars)
    found, read = walked_back(text, bars_frame(bars), windows, facts=market())
    assert run.n_trades > 8
    assert_same_run(found, run)
    own = [len(one["equity"]) * 3 for one in found]
    assert max(r - o for r, o in zip(read, own, strict=True)) <= 3 * 31 * 8, "months, not years"


def test_a_stop_long_after_its_entry_says_when_it_was_decided():
    text = HEAD + "    entry_long: [{consecutive_up: {bars: 3}}]\n"
    text += "  sizing: {type: fixed_fraction, params: {fraction: 0.2}}\n"
    text += "  risk:\n    - trailing_stop: {pct: 0.2}\n"
    bars = random_bars(rows=330, seed=11)
    given = (text, bars_frame(bars), windows_of(bars))
    found, _ = walked_back(*given, facts=market())
    every = walked(*given, facts=market())
    waited = []
    for one, other in zip(found, every, strict=True):
        for part, frame in one.items():
            pd.testing.assert_frame_equal(frame, other[part])
        stops = one["orders"][(one["orders"]["reason"] == "trailing_stop").to_numpy()]
        waited += (stops["ts"] - stops["decided_ts"]).dt.days.tolist()
    assert max(waited) > 70, "beyond the bars that its window reads"


@pytest.mark.parametrize("text", [BOUNDED["risk"], HEAD + LONGER], ids=["risk", "longer"])
def test_windows_of_mode_independent_are_the_same_however_much_is_read(text: str):
    """All frames; each window knows by the times of the bars before it where it stands."""
    hours = {"bar_length": "8h", "bars_per_year": 1095} if "1d" in text else {}
    bars = random_bars(rows=200, days=1 / 3 if hours else 1.0, holes=0.03, seed=11)
    windows = windows_of(bars, "weekly" if hours else "monthly")
    given = (text, bars_frame(bars), windows)
    found, read = walked_back(*given, facts=market(**hours), mode="independent")
    every = walked(*given, facts=market(**hours), mode="independent")
    assert sum(len(one["fills"]) for one in every) > 4
    for one, other in zip(found, every, strict=True):
        for part, frame in one.items():
            pd.testing.assert_frame_equal(frame, other[part])
    whole = np.cumsum([len(one["equity"]) * 3 for one in every])
    assert sum(read) < 0.8 * whole.sum()


def test_frames_are_the_same_however_much_is_read():
    """All frames, the state among them."""
    bars, text = random_bars(rows=200, holes=0.03, seed=11), BOUNDED["risk"]
    given = (text, bars_frame(bars), windows_of(bars))
    found, _ = walked_back(*given, facts=market())
    for one, other in zip(found, walked(*given, facts=market()), strict=True):
        for part, frame in one.items():
            pd.testing.assert_frame_equal(frame, other[part])


def test_rows_that_a_window_reads_do_not_grow_with_the_history():
    """The figures of the documentation: a cross of 3 and 9 days over three years of months."""
    bars = random_bars(rows=1_096, seed=2)
    found, read = walked_back(HEAD + CROSS, bars_frame(bars), windows_of(bars), facts=market())
    before = np.cumsum([3 * len(one["equity"]) for one in found]).tolist()
    assert (before[0], before[-1], sum(before)) == (87, 3_288, 63_792)
    assert max(read) <= 3 * (31 + 31 + 30 + 31)
    assert read[-1] < before[-1] / 8
    assert sum(read) < sum(before) / 5


def test_what_remembers_everything_reads_everything():
    bars = random_bars(rows=200, seed=9)
    for name in ("plain", "risk"):  # an exponential average; bars a year that are counted
        assert memory(FILES[name]) is None
        _, read = walked_back(FILES[name], bars_frame(bars), windows_of(bars), facts=market())
        assert read[-1] == 600
    assert memory(BOUNDED["cross"]) == Memory(21, 63)


def test_longer_timeframes_are_aligned_with_those_of_the_whole_run():
    bars = random_bars(rows=8 * 130, days=1 / 8, seed=6, holes=0.05)
    gone = np.random.default_rng(1).random(len(bars)) < 0.1
    bars = bars.rows(np.flatnonzero(~gone))  # days of different lengths
    text = HEAD + LONGER
    facts = market(bar_length="3h")
    assert memory(text, bar_length="3h") == Memory(64, 5, (("1d", 6),))
    run = one_run(text, bars)
    found, read = walked_back(text, bars_frame(bars), windows_of(bars, "weekly"), facts=facts)
    assert run.n_trades > 8
    assert_same_run(found, run)
    assert max(read) < 0.7 * 3 * len(bars)
    assert found[-1]["state"].query("part == 'timeframes'")["value"].tolist() == [130.0]


def test_windows_go_on_with_symbols_that_are_gone_and_old_trades():
    """A symbol that ended long ago counts among the parts of equity; its rows are not read."""
    bars = random_bars(rows=500, seed=3)
    frame = bars_frame(bars)
    frame = frame[(frame["symbol"] != "C") | (frame["ts"] < frame["ts"].iloc[300])]
    frame = frame.reset_index(drop=True)
    text = (
        HEAD
        + """\
    entry_long: [{new_high: {period: 40}}]
    exit_long: [{new_low: {period: 60}}]
"""
    )
    close = bars.close.copy()
    close[100:, 2] = np.nan
    gone = np.isnan(close)
    panels = {n: np.where(gone, np.nan, v) for n, v in bars.columns().items() if n != "volume"}
    panels["volume"] = np.where(gone, 0.0, bars.volume)
    run = one_run(text, replace(bars, **panels))
    found, read = walked_back(text, frame, windows_of(bars), facts=market())
    assert_same_run(found, run)
    assert run.trades["bars_held"].max() > 100, "longer than what is read"
    assert read[-1] < 500


def funding_of(bars, every: str) -> pd.DataFrame:
    due = pd.date_range(bars.ts[0], bars.ts[-1], freq=every, tz="UTC").as_unit("us")
    n, rng = len(bars.symbols), np.random.default_rng(5)
    return pd.DataFrame(
        {
            "ts": due.repeat(n),
            "available_at": due.repeat(n) + pd.Timedelta(minutes=1),
            "symbol": pd.array(list(bars.symbols) * len(due), dtype="str"),
            "event_id": pd.array([str(i) for i in range(n * len(due))], dtype="str"),
            "rate": rng.normal(1e-4, 3e-4, n * len(due)),
            "mark_price": np.full(n * len(due), np.nan),
        }
    )


@pytest.mark.parametrize("every", ["8h", "45D"])
def test_windows_know_the_funding_rate_of_before(every: str):
    """Rules on funding see the last rate, though its settlement is not read any more.

    The rates are published a minute late: one that came at the very end of a window would be known
    to the window after it only, where one run over everything has it (see docs/strategies.md).
    """
    bars = random_bars(rows=6 * 120, symbols=("AAA/USDT:USDT", "BBB/USDT:USDT"), days=1 / 6)
    funding = funding_of(bars, every)
    text = (
        HEAD
        + """\
    entry_long: [{funding_below: {threshold: 0.0001}}, {consecutive_down: {bars: 2}}]
    exit_long: [{consecutive_up: {bars: 3}}]
"""
    )
    facts = market(asset_class="crypto_perpetual", bar_length="4h", funding="required")
    loaded = strategy_of(values_of(text))
    run = backtest(
        loaded.strategy,
        with_funding_rate(bars, funding),
        execution_of(loaded, facts),
        funding=funding,
    )
    given = {"facts": facts, "funding": funding}
    found, read = walked_back(text, bars_frame(bars), windows_of(bars, "weekly"), **given)
    assert run.n_trades > 10
    assert_same_run(found, run)
    assert max(read) < 2 * 6 * 7 * 3


def test_rows_that_fit_nowhere_are_refused():
    bars = random_bars(rows=300, seed=9)
    frame, windows = bars_frame(bars), windows_of(bars)
    text = BOUNDED["cross"]
    found, _ = walked_back(text, frame, windows[:6], facts=market())
    late = frame[frame["ts"] >= windows[6].start]
    with pytest.raises(DataError, match="stands at bar 179, the window begins at bar 0"):
        step(text, late, windows[6], found[-1]["state"], market())


def test_the_state_tells_the_entries_of_open_trades():
    bars = random_bars(rows=200, seed=9)
    found, _ = walked_back(BOUNDED["cross"], bars_frame(bars), windows_of(bars), facts=market())
    held = next(one for one in reversed(found) if len(one["positions"]) and len(one["equity"]))
    rows = held["state"].query("part == 'trades'")
    assert sorted(set(rows["row"])) == sorted(held["positions"]["trade_id"])
    signals = rows[rows["text"].str.startswith("{")]["text"]
    assert {json.loads(text)["signal"] for text in signals} <= {"entry_long", "entry_short"}


@dataclass(frozen=True, kw_only=True)
class Tossing(BarStrategy):
    """Bar by bar; enters on every fifth bar that it sees, and by chance where `seed` is None."""

    name: ClassVar[str] = "tossing"
    seed: int | None = 1
    seen: list[int] = field(default_factory=list, compare=False)

    def on_bar(self, window, account):
        self.seen.append(len(window))
        n = len(window.symbols)
        chance = np.random.default_rng(self.seed).random() if self.seed is None else 0.0
        enters = len(self.seen) % 5 == 0 and chance < 0.5
        return Signals.row(
            entry_long=np.full(n, enters), exit_long=np.full(n, len(self.seen) % 5 == 2)
        )


def only_bar_by_bar(monkeypatch: pytest.MonkeyPatch, seed: int | None) -> None:
    """Files are read as ever, and their strategy is replaced by one in plain Python."""
    from quant_assets.quant.simulation.strategy_windows import reading

    def load(text: str):
        loaded = load_strategy(text)
        stages = (SignalMiddleware(Tossing(seed=seed)),)
        return replace(loaded, strategy=compose("tried", stages))

    reading._strategy_of.cache_clear()
    monkeypatch.setattr(reading, "load_strategy", load)


def test_bar_by_bar_windows_are_the_run_whatever_the_strategy_remembers(monkeypatch):
    only_bar_by_bar(monkeypatch, seed=1)
    bars = random_bars(rows=200, holes=0.03, seed=9)
    run = one_run(HEAD + CROSS, bars)
    assert run.form == "bar"
    assert run.n_trades > 60
    found, read = walked_back(HEAD + CROSS, bars_frame(bars), windows_of(bars), facts=market())
    assert_same_run(found, run)
    assert read[-1] == 600, "the run is replayed from its start"
    alone = walked(
        HEAD + CROSS, bars_frame(bars), windows_of(bars), facts=market(), mode="independent"
    )
    assert [one["fills"]["order_id"].min() for one in alone if len(one["fills"])] == [1] * 7


def test_bar_by_bar_windows_of_a_strategy_that_does_not_repeat_itself_are_refused(monkeypatch):
    only_bar_by_bar(monkeypatch, seed=None)
    bars = random_bars(rows=200, seed=9)
    with pytest.raises(DataError, match=r"tried: its run was repeated up to 2022-\d\d-01, and the"):
        walked(HEAD + CROSS, bars_frame(bars), windows_of(bars), facts=market())


def test_leak_check_of_a_strategy_on_funding_sees_the_rates():
    bars = random_bars(rows=6 * 200, symbols=("AAA/USDT:USDT", "BBB/USDT:USDT"), days=1 / 6)
    facts = market(asset_class="crypto_perpetual", bar_length="4h", funding="required")
    window = windows_of(bars)[-1]
    text = (
        HEAD
        + """\
    entry_long: [{funding_below: {threshold: 0.0001}}]
    exit_long: [{funding_above: {threshold: 0.0002}}]
"""
    )
    stamps = {"venue": "v", "window": window, "decided_at": window.start, "mode": "carry"}
    context = StrategyContext(market=facts, strategy=values_of(text), **stamps)
    found = strategy_leaks_venue(
        context, RecordingTelemetry(), bars=bars_frame(bars), funding=funding_of(bars, "8h")
    )
    assert found["verdict"].tolist() == ["trusted"], found["text"].iloc[0]


def test_longer_bars_are_made_where_no_window_cuts_them():
    text = "runtime: {candle_interval: 1d}\n" + HEAD + CROSS
    settings = strategy_of(values_of(text)).settings
    assert unfit_length(settings, market(bar_length="1h")) == ""
    assert unfit_length(settings, market()) == ""
    said = unfit_length(settings, market(bar_length="1h", time_zone="America/New_York"))
    assert said.startswith("1d; the venue has 1h, and days of America/New_York")
    short = strategy_of(values_of(text.replace("1d", "5h"))).settings
    assert unfit_length(short, market(bar_length="1h")) == "5h; the venue has 1h"
