"""The tester on bars made by hand, and the files of a new strategy."""

import importlib
import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError, DataError, LookAheadError
from quant_assets.quant.strategies import (
    BarStrategy,
    RuleSignals,
    Signals,
    StrategyTester,
    VectorStrategy,
    hand_made_bars,
    load_strategy,
    strategy_template,
)
from quant_assets.quant.strategies.rules import ConsecutiveUp


@dataclass(frozen=True, kw_only=True)
class Peeks(VectorStrategy):
    name: ClassVar[str] = "peeks"

    def signals(self, bars):
        entry = np.zeros(bars.close.shape, dtype=bool)
        entry[:-1] = bars.close[1:] > bars.close[:-1]
        return Signals(entry_long=entry)


@dataclass(frozen=True, kw_only=True)
class Differs(VectorStrategy, BarStrategy):
    name: ClassVar[str] = "differs"

    def signals(self, bars):
        return Signals(entry_long=bars.close > 10.0)

    def on_bar(self, window, account):
        return Signals(entry_long=window["close", -1] >= 10.0)


def test_hand_made_bars_are_closes_or_whole_bars():
    bars = hand_made_bars({"B": [1, 2], "A": [(1, 3, 1, 2), (2, 2, 2, 2, 7)]})
    assert bars.symbols == ("A", "B")
    np.testing.assert_array_equal(bars.high, [[3, 1], [2, 2]])
    np.testing.assert_array_equal(bars.volume, [[np.nan, np.nan], [7, np.nan]])
    with pytest.raises(DataError, match="different lengths"):
        hand_made_bars({"A": [1], "B": [1, 2]})
    with pytest.raises(DataError, match="bar 1 of A"):
        hand_made_bars({"A": [1, (1, 2)]})


def test_tester_tells_when_a_signal_is_set():
    strategy = RuleSignals(entry_long=ConsecutiveUp(bars=1))
    assert StrategyTester.on(strategy, {"A": [1, 2, 2, 3]}).when("entry_long") == [1, 3]
    two = StrategyTester.on(strategy, {"A": [1, 2, 2, 3], "B": [3, 2, 3, 1]})
    assert two.when("entry_long", "B") == [2]
    assert two.when("exit_long", "B") == []
    with pytest.raises(ConfigError, match="say which symbol: A, B"):
        two.when("entry_long")
    with pytest.raises(ConfigError, match="no flag 'entry'"):
        two.when("entry", "A")
    with pytest.raises(ConfigError, match="is not composed"):
        two.changes()


def test_tester_finds_a_decision_that_reads_the_next_bar():
    with pytest.raises(LookAheadError, match="row 1, column 0 is 1, but 0 with only 2 bars"):
        StrategyTester.on(Peeks(), {"A": [3, 2, 3, 1]}).check()
    with pytest.raises(ConfigError, match="has no bar form"):
        StrategyTester.on(Peeks(), {"A": [3, 2]}).bar_by_bar()


def test_tester_finds_forms_that_differ():
    StrategyTester.on(Differs(), {"A": [9, 11]}).check()
    with pytest.raises(DataError, match="row 1, column 0 is 0, but 1 in the bar form"):
        StrategyTester.on(Differs(), {"A": [9, 10]}).check()


@pytest.fixture
def new_files(tmp_path, monkeypatch):
    for name, text in strategy_template("my_first_idea").items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in ("my_first_idea", "test_my_first_idea"):
        sys.modules.pop(name, None)


def test_tester_shows_who_is_a_member():
    class Members(BarStrategy):
        name: ClassVar[str] = "members"

        def on_bar(self, window, account):
            return Signals(entry_long=window.members)

    bars = hand_made_bars({"OLD": [1.0, 2.0, 3.0], "NEW": [1.0, 2.0, 3.0]})
    spans = [("OLD", bars.ts[0], None), ("NEW", bars.ts[2], None)]
    lived = bars.with_universe(pd.DataFrame(spans, columns=["symbol", "entered", "left"]))
    found = StrategyTester(Members(), lived).bar_by_bar().entry_long
    np.testing.assert_array_equal(found, lived.members)
    assert dict(zip(lived.symbols, found.sum(axis=0).tolist(), strict=True)) == {"OLD": 3, "NEW": 2}


def test_template_passes_its_own_tests_unedited(new_files):
    module = importlib.import_module("test_my_first_idea")
    tests = [name for name in dir(module) if name.startswith("test_")]
    assert len(tests) == 2
    for name in tests:
        getattr(module, name)()


def test_template_of_a_file_loads(new_files):
    loaded = load_strategy(new_files / "my_first_idea.yaml")
    assert loaded.strategy.name == "my_first_idea"
    made = importlib.import_module("my_first_idea").MyFirstIdea()
    source = loaded.strategy.middlewares[0].source
    assert source == made.rules()


@pytest.mark.parametrize("name", ["My", "my-idea", "../x", "", "1st"])
def test_template_refuses_names_that_are_no_modules(name):
    with pytest.raises(ConfigError, match="small letters"):
        strategy_template(name)
