"""Everything that only the event kernel does is an obstacle, by its name."""

from dataclasses import replace

import numpy as np
import pytest

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.terms import (
    STOP_FRACTION,
    STOP_PRICE,
    TIME_BARS,
    TRAIL_FRACTION,
    ExitTerms,
)
from quant_assets.quant.simulation.execution.defaults import frictionless, neutral_limits
from quant_assets.quant.simulation.execution.terms import NEXT_CLOSE
from quant_assets.quant.simulation.lean.suitability import obstacles
from quant_assets.quant.sizing.entry.units import (
    EQUITY_FRACTION,
    RISK_FRACTION,
    EntrySizes,
    Resize,
)
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.lean.random_runs import random_bars

BARS = random_bars(np.random.default_rng(0), 6, 2)
TERMS = frictionless(BARS)
FLAGS = np.zeros((6, 2), dtype=np.bool_)
NUMBERS = np.ones((6, 2))
PLAIN = Signals(entry_long=FLAGS, exit_long=FLAGS, entry_short=~FLAGS, exit_short=FLAGS)
SOME = np.array([0.0, 1.0])
TIED = np.array([TRAIL_FRACTION, STOP_FRACTION], dtype=np.int8)


def of_terms(**changes):
    """Terms with fields of their parts replaced."""
    return TERMS._replace(
        **{part: getattr(TERMS, part)._replace(**fields) for part, fields in changes.items()}
    )


def test_exits_in_bars_without_an_open_are_an_obstacle():
    """Of a bar that is absent altogether there is nothing to exit in."""
    opened = {name: BARS[name].copy() for name in ("open", "high", "low", "close", "volume")}
    opened["open"][3] = np.nan
    unknown = BarPanel.from_arrays(BARS.ts, BARS.symbols, BARS.bar_length, **opened)
    level = np.full((1, 1, 2), 0.1)
    stopped = Plan(exits=ExitTerms(np.array([STOP_FRACTION], dtype=np.int8), level))
    assert obstacles(unknown, PLAIN, Plan(), TERMS) == ()
    assert obstacles(unknown, PLAIN, stopped, TERMS) == ("exits in bars whose open is unknown",)
    for values in opened.values():
        values[3] = np.nan
    absent = BarPanel.from_arrays(BARS.ts, BARS.symbols, BARS.bar_length, **opened)
    assert obstacles(absent, PLAIN, stopped, TERMS) == ()


def test_market_orders_with_rates_have_no_obstacle():
    plan = Plan(limits=neutral_limits(2))
    assert obstacles(BARS, PLAIN, plan, TERMS) == ()


@pytest.mark.parametrize(
    ("terms", "word"),
    [
        (of_terms(fills={"model": NEXT_CLOSE}), "next open"),
        (of_terms(fills={"latency": 1}), "next open"),
        (of_terms(fills={"participation": 0.1}), "participation"),
        (of_terms(fills={"optimistic": True}), "targets"),
        (of_terms(fills={"through": True}), "targets"),
        (of_terms(slippage={"impact": 0.5}), "slippage"),
        (of_terms(slippage={"half_spread": 0.5}), "slippage"),
        (of_terms(slippage={"volume_share": 0.5}), "slippage"),
        (of_terms(commission={"flat": 1.0}), "commission"),
        (of_terms(commission={"minimum": 1.0}), "commission"),
        (of_terms(commission={"maximum": 0.01}), "commission"),
        (of_terms(commission={"sell_rate": 0.01}), "commission"),
        (of_terms(commission={"buy_rate": 0.01}), "commission"),
        (of_terms(commission={"increment": 0.01}), "commission"),
        (of_terms(commission={"per_unit": np.ones(1)}), "commission"),
        (of_terms(commission={"taker": -1e-4, "minimum": 0.0}), "commission"),
        (of_terms(carry={"borrow": SOME}), "borrow"),
        (of_terms(carry={"cash_rate": 0.01}), "interest"),
        (of_terms(carry={"debit_rate": 0.01}), "interest"),
        (of_terms(carry={"rebate": 0.01}), "interest"),
        (of_terms(carry={"funding_bar": np.zeros(1, dtype=np.int64)}), "funding"),
        (of_terms(margin={"tier_rate": np.ones((2, 1))}), "margin"),
        (of_terms(margin={"inverse": SOME > 0.0}), "inverse"),
        (of_terms(margin={"linear": SOME > 0.0}), "linear"),
        (of_terms(instruments={"lot": SOME}), "lots"),
        (of_terms(instruments={"tick": SOME}), "ticks"),
        (of_terms(instruments={"least_notional": SOME}), "least"),
        (of_terms(instruments={"multiplier": SOME + 1.0}), "multipliers"),
        (of_terms(instruments={"fx": 2.0 * np.ones((1, 2))}), "currencies"),
        (of_terms(detail={"first": np.zeros(7, dtype=np.int64)}), "detail"),
    ],
)
def test_every_cost_beyond_rates_is_named(terms, word):
    (found,) = obstacles(BARS, PLAIN, Plan(), terms)
    assert word in found


@pytest.mark.parametrize(
    ("signals", "plan", "word"),
    [
        (Signals(target=NUMBERS), Plan(), "target weights"),
        (Signals(entry_long=FLAGS, limit=NUMBERS), Plan(), "limit"),
        (Signals(entry_long=FLAGS, stop=NUMBERS), Plan(), "stop"),
        (Signals(entry_long=FLAGS, strength=NUMBERS), Plan(), "strength"),
        (PLAIN, Plan(sizes=EntrySizes(NUMBERS[:1], RISK_FRACTION)), "risk"),
        (PLAIN, Plan(sizes=EntrySizes(NUMBERS, EQUITY_FRACTION), resize=Resize(5)), "resized"),
        (PLAIN, Plan(exits=ExitTerms(TIED, np.full((2, 1, 2), 0.02))), "one distance"),
        *(
            (PLAIN, Plan(exits=ExitTerms(np.array([kind], dtype=np.int8), NUMBERS[None])), "exits")
            for kind in (STOP_PRICE, TIME_BARS)
        ),
        *(
            (PLAIN, Plan(limits=neutral_limits(2)._replace(**{name: value})), "limits")
            for name, value in (
                *(("max_position", 0.5), ("max_gross", 1.0), ("max_net", 1.0), ("max_heat", 0.1)),
                *(("max_sector", 1.0), ("max_positions", 1), ("correlation", 0.7)),
                *(("cut_drawdown", 0.1), ("halt_drawdown", 0.2), ("daily_loss", 0.02)),
                ("cool_down", 3),
            )
        ),
    ],
)
def test_every_decision_beyond_market_orders_is_named(signals, plan, word):
    (found,) = obstacles(BARS, signals, plan, TERMS)
    assert word in found


def test_the_order_of_symbols_matters_to_a_shared_account_alone():
    turned = BARS.select(["s01", "s00"])
    assert obstacles(turned, PLAIN, Plan(), TERMS) == ("symbols that are not sorted",)
    assert obstacles(turned, PLAIN, Plan(), TERMS, shared=False) == ()


def test_bars_that_become_known_late_are_one():
    known = BARS.available_at + np.timedelta64(1, "D")
    (found,) = obstacles(replace(BARS, available_at=known), PLAIN, Plan(), TERMS)
    assert "known after" in found


def test_labels_are_none_nor_is_the_strength_of_the_only_symbol():
    assert obstacles(BARS, PLAIN, Plan(labels={"regime": FLAGS}), TERMS) == ()
    one = BARS.select(["s00"])
    sure = Signals(entry_long=FLAGS[:, :1], strength=NUMBERS[:, :1])
    assert obstacles(one, sure, Plan(), frictionless(one)) == ()


def test_minimum_that_never_binds_and_borrow_of_what_is_never_short_are_none():
    free = of_terms(commission={"minimum": -np.inf, "taker": -1e-4})
    assert obstacles(BARS, PLAIN, Plan(), free) == ()
    lent = of_terms(carry={"borrow": SOME})
    for short in (None, FLAGS):
        signals = Signals(entry_long=~FLAGS, entry_short=short)
        assert obstacles(BARS, signals, Plan(), lent) == ()
