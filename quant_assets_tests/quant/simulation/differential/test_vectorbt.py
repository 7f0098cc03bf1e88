"""Orders and equity of vectorbt on the bundled prices, as `record_vectorbt` wrote them down.

Equal: bar, side, units, price and fee of every order; equity. Different: a reversal is one order
of vectorbt and two of ours at the same price, which fees and equity do not feel.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from quant_assets.quant.simulation.lean.account import simulate_lean
from quant_assets.quant.simulation.lean.sweeps import sweep
from quant_assets.quant.simulation.lean.terms import Accounts
from quant_assets_tests.quant.simulation.differential import cases

pytest.importorskip("skfolio", reason="the extra `demo` brings the bundled prices")
pytestmark = pytest.mark.slow

ISOLATED = Accounts(initial_capital=cases.CASH, kind="isolated")
RECORDED = json.loads(Path(__file__).with_name("vectorbt.json").read_text(encoding="utf-8"))
CASES = {"units": {}, "all_in": {"all_in": True}, "long_short": {"short": True}}


@pytest.fixture(scope="module")
def strategies():
    from quant_assets_tests.quant.simulation.differential import strategies

    return strategies


@pytest.fixture(scope="module")
def bars(strategies):
    return strategies.real_bars()


def netted(orders):
    """(bar, signed units, price, fee), orders of one bar added up: a reversal is one order."""
    starts = np.flatnonzero(np.diff(orders[:, 0], prepend=-1.0))
    sums = np.add.reduceat(orders, starts, axis=0)
    sums[:, [0, 2]] = orders[starts][:, [0, 2]]
    return sums


@pytest.mark.parametrize("name", CASES)
def test_every_order_is_vectorbts(name, strategies, bars):
    strategy = strategies.AverageCross(**CASES[name])
    found = simulate_lean(strategy, bars, strategies.terms_of(bars), accounts=ISOLATED)
    log = found.orders
    table = np.stack([log.bar, log.quantity, log.price, log.fee], axis=1)
    for j, symbol in enumerate(cases.SYMBOLS):
        theirs = np.array(RECORDED[name]["orders"][symbol])
        assert len(theirs) > 150
        np.testing.assert_allclose(netted(table[log.symbol == j]), theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_equity_is_vectorbts(name, strategies, bars):
    strategy = strategies.AverageCross(**CASES[name])
    found = simulate_lean(strategy, bars, strategies.terms_of(bars), accounts=ISOLATED)
    theirs = np.array(RECORDED[name]["equity"])
    np.testing.assert_allclose(found.equity[RECORDED[name]["rows"]], theirs, rtol=1e-9)


def test_a_sweep_ends_where_vectorbt_ends(strategies, bars):
    found = sweep(
        strategies.AverageCross,
        list(CASES.values()),
        bars,
        strategies.terms_of(bars),
        accounts=ISOLATED,
    )
    assert found.ways() == {"crossings": 3}
    for row, name in enumerate(CASES):
        np.testing.assert_allclose(found.final_equity[row], RECORDED[name]["equity"][-1], rtol=1e-9)


def test_the_recorded_case_is_the_one_that_is_traded():
    close, _ = cases.closes()
    up, _ = cases.crosses(close)
    first = RECORDED["units"]["orders"][cases.SYMBOLS[0]][0][0]
    assert first == int(np.argmax(up[:, 0])) + 1
    assert RECORDED["units"]["rows"][-1] == len(close) - 1
