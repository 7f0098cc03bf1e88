"""One strategy in both forms gives the same run; a moving window shows what was known, no more."""

import copy
import pickle
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pytest

from quant_assets import backtest
from quant_assets.core.errors import ConfigError, DataError, LookAheadError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.simulation.execution.event_kernel import loop
from quant_assets.quant.sizing.entry.units import ENTRIES_ONLY
from quant_assets.quant.strategies.base import BarStrategy, VectorStrategy
from quant_assets.quant.strategies.orders import Order
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import flat_bars
from quant_assets_tests.quant.simulation.execution.random_runs import random_run


def highest_before(values, n):
    """Highest of the n rows before each; NaN before there are n, and over a NaN."""
    found = np.full(values.shape, np.nan)
    for t in range(n, len(values)):
        found[t] = values[t - n : t].max(axis=0)
    return found


@dataclass(frozen=True, kw_only=True)
class Channel(VectorStrategy, BarStrategy):
    """Breakouts of the last closes, in both directions, leaving at the other side of half of it."""

    name = "channel"
    rows: int
    uses_targets: bool
    goes_with: Plan

    @property
    def warm_up(self):
        return self.rows

    def plan(self, bars):
        return self.goes_with

    def decide(self, close, top, bottom):
        with np.errstate(invalid="ignore"):
            up, down = close > top, close < bottom
        if self.uses_targets:
            return Signals(target=np.where(up, 0.3, np.where(down, -0.2, np.nan)))
        return Signals(
            entry_long=up,
            exit_long=down,
            entry_short=down,
            exit_short=up,
            limit=np.where(close > 100.0, close * 0.995, np.nan),
            strength=np.abs(close - 100.0) / 100.0,
        )

    def signals(self, bars):
        close = bars.close
        return self.decide(
            close, highest_before(close, self.rows), -highest_before(-close, self.rows)
        )

    def on_bar(self, window, account):
        past = window["close", -self.rows - 1 : -1]
        return self.decide(window["close", -1], past.max(axis=0), past.min(axis=0))


def both(seed):
    run = random_run(seed, n_bars=80)
    rng = np.random.default_rng(seed)
    rows, targets = int(rng.integers(2, 9)), bool(rng.random() < 0.3)
    plan = replace(run.plan, resize=ENTRIES_ONLY) if targets else run.plan
    strategy = Channel(rows=rows, uses_targets=targets, goes_with=plan)
    return [backtest(strategy, run.bars, run.terms, form=form) for form in ("vector", "bar")]


def test_both_forms_give_the_same_run():
    for seed in range(4):
        vector, bar = both(seed)
        assert (vector.form, bar.form) == ("vector", "bar")
        assert vector.hash() == bar.hash()
        assert len(vector.fills) > 0


@pytest.mark.slow
def test_two_hundred_random_strategies_have_no_difference_between_forms():
    runs = [both(seed) for seed in range(200)]
    assert [i for i, (vector, bar) in enumerate(runs) if vector.hash() != bar.hash()] == []
    assert sum(len(vector.trades) for vector, _ in runs) > 2_000


@dataclass(frozen=True, kw_only=True)
class Looks(BarStrategy):
    """Calls a function at every bar."""

    name = "looks"
    at_bar: object

    def indicators(self, bars):
        return {"double": bars.close * 2.0}

    def on_bar(self, window, account):
        return self.at_bar(window, account)


def rising(n=200, symbols=2):
    ts = np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1, "h")
    close = 1.0 + np.arange(n * symbols, dtype=np.float64).reshape(n, symbols)
    names = [f"S{i}" for i in range(symbols)]
    return BarPanel.from_arrays(ts, names, timedelta(hours=1), close=close)


def test_window_shows_rows_up_to_its_own():
    bars, seen = rising(), []

    def look(window, account):
        n = len(window)
        np.testing.assert_array_equal(window["close"], bars.close[:n])
        np.testing.assert_array_equal(window["double", -1], 2.0 * bars.close[n - 1])
        np.testing.assert_array_equal(window["close", -3:], bars.close[max(0, n - 3) : n])
        np.testing.assert_array_equal(window["close", 0:n], bars.close[:n])
        np.testing.assert_array_equal(window.ts, bars.ts[:n])
        assert window.decided_at == bars.available_at[n - 1]
        assert set(window.current()) == {"open", "high", "low", "close", "volume"}
        np.testing.assert_array_equal(
            window.historical(2)["low"], bars.close[max(0, n - 3) : n - 1]
        )
        np.testing.assert_array_equal(window.indicators()["double"], 2.0 * bars.close[:n])
        with pytest.raises(LookAheadError):
            window["close", n]
        with pytest.raises(LookAheadError):
            window["close", : n + 1]
        with pytest.raises(DataError, match="no 'clsoe'"):
            window["clsoe"]
        seen.append(n)

    backtest(Looks(at_bar=look), bars, frictionless(bars))
    assert seen == list(range(1, 201))


def leaves(value, depth=4):
    """All arrays and bytes that can be reached from an object by its attributes and items."""
    if isinstance(value, np.ndarray):
        yield value
        if value.base is not None and depth:
            yield from leaves(value.base, depth - 1)
    elif isinstance(value, bytes):
        usable = len(value) // 8 * 8
        yield np.frombuffer(value[:usable], dtype=np.float64)
    elif isinstance(value, dict) and depth:
        for one in value.values():
            yield from leaves(one, depth - 1)
    elif isinstance(value, (list, tuple)) and depth:
        for one in value:
            yield from leaves(one, depth - 1)


@pytest.mark.parametrize("symbols", [1, 3])
def test_nothing_that_a_window_leads_to_holds_a_later_value(symbols):
    """Values rise with time, so whatever is above the current close has not happened yet."""
    bars = rising(symbols=symbols)
    checked = []

    def look(window, account):
        now = 2.0 * bars.close[len(window) - 1, -1]
        parts = [getattr(window, name) for name in type(window).__slots__]
        parts += [window["close"], window["double", -1], copy.copy(window)._arrays]
        again = pickle.loads(pickle.dumps(window))  # noqa: S301  # our own
        parts += [copy.deepcopy(window)["close"], again._values]
        parts += [getattr(account, name) for name in ("position", "entry_price", "bars_held")]
        for array in leaves(parts):
            if array.dtype == np.float64 and array.size:
                with np.errstate(invalid="ignore"):
                    beyond = (array > now) & (array < 1e9)
                assert not beyond.any()
                checked.append(array.size)

    backtest(Looks(at_bar=look), bars, frictionless(bars))
    assert len(checked) > 10_000


def test_windows_cannot_be_written():
    bars, seen = rising(5), []

    def look(window, account):
        column = window["close"]
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1.0
        with pytest.raises(ValueError, match="WRITEABLE"):
            column.flags.writeable = True
        with pytest.raises(ValueError, match="WRITEABLE"):
            column.base.flags.writeable = True
        with pytest.raises(AttributeError):
            window.symbols = ()
        account.position[:] = 99.0
        seen.append(account.position.tolist())

    backtest(Looks(at_bar=look), bars, frictionless(bars))
    assert seen == [[0.0, 0.0]] * 5


def test_account_is_what_the_ledger_says():
    bars, seen = rising(30, symbols=2), []

    def look(window, account):
        n = len(window)
        seen.append(
            (
                account.cash,
                account.equity,
                account.position_of("S1"),
                account.bars_held[1],
                account.entry_price[1],
                account.drawdown,
                account.heat,
            )
        )
        return [Order(symbol="S1", quantity=5.0, tag="first")] if n == 3 else None

    result = backtest(Looks(at_bar=look), bars, frictionless(bars))
    cash, equity, position, held, entry, drawdown, heat = (
        np.array(x) for x in zip(*seen, strict=True)
    )
    np.testing.assert_array_equal(cash, result.equity.cash)
    np.testing.assert_array_equal(equity, result.equity.equity)
    np.testing.assert_allclose(drawdown, result.equity.drawdown, atol=1e-15)
    np.testing.assert_allclose(heat, result.equity.heat)
    assert position.tolist() == [0.0] * 3 + [5.0] * 27
    assert held[:5].tolist() == [0, 0, 0, 0, 1]
    assert entry[3] == result.trades.entry_price[0]
    assert result.trades.entry_signal.tolist() == ["first"]


def test_what_a_strategy_raises_comes_out():
    bars = rising(10)

    def look(window, account):
        if len(window) == 4:
            raise KeyError("of mine")

    with pytest.raises(KeyError, match="of mine"):
        backtest(Looks(at_bar=look), bars, frictionless(bars))


def test_orders_for_unknown_symbols_and_wrong_forms_are_refused():
    bars = flat_bars(3)
    with pytest.raises(ConfigError, match="'Z'"):
        backtest(
            Looks(at_bar=lambda w, a: [Order(symbol="Z", quantity=1.0)]), bars, frictionless(bars)
        )
    with pytest.raises(ConfigError, match="no form 'vector'"):
        backtest(Looks(at_bar=lambda w, a: None), bars, form="vector")
    one = Signals(entry_long=np.zeros(4, dtype=np.bool_))
    with pytest.raises(DataError, match="shape"):
        backtest(Looks(at_bar=lambda w, a: one), bars, frictionless(bars))
    with pytest.raises(ConfigError, match="capital"):
        backtest(Looks(at_bar=lambda w, a: None), bars, initial_capital=0.0)


@pytest.mark.compiled
def test_sealed_bars_need_no_other_kernel():
    """Read-only arrays would be another type to numba, and half a minute of compilation."""
    run = random_run(5)
    strategy = Channel(rows=3, uses_targets=False, goes_with=run.plan)
    before = backtest(strategy, run.bars, run.terms).hash()
    for name in ("open", "high", "low", "close", "volume"):
        run.bars[name].setflags(write=False)
    assert backtest(strategy, run.bars, run.terms).hash() == before
    assert len(loop.run.signatures) == 1


@pytest.mark.parametrize("form", ["vector", "bar"])
def test_progress_is_told_every_twentieth_and_changes_nothing(form):
    run, told = random_run(5, n_bars=97), []
    strategy = Channel(rows=3, uses_targets=False, goes_with=run.plan)
    watched = backtest(strategy, run.bars, run.terms, form=form, progress=told.append)
    assert watched.hash() == backtest(strategy, run.bars, run.terms, form=form).hash()
    assert len(told) == 20
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_strategy_sees_its_own_extras_not_those_of_the_slippage():
    plain = rising(120)
    own = np.full(plain.close.shape, 7.0)
    bars = BarPanel.from_arrays(
        plain.ts,
        plain.symbols,
        plain.bar_length,
        close=plain.close,
        volume=np.full(plain.close.shape, 1e4),
        extras={"volatility": own},
    )
    seen = []
    looks = Looks(at_bar=lambda window, account: seen.append(window["volatility", -1].tolist()))
    result = backtest(looks, bars, {"slippage_model": "sqrt_volume"})
    assert seen == [[7.0, 7.0]] * 120
    assert not (result.preparation.market.volatility == 7.0).any()
