"""What holds for every account: identity, symmetry, prefixes, continuation, and the logs' sums."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.core.errors import DataError
from quant_assets.quant.simulation.execution import book as names
from quant_assets.quant.simulation.execution import ledger
from quant_assets.quant.simulation.execution.event_kernel import fields as kernel
from quant_assets.quant.sizing.entry import units
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import at, flat_bars, tell
from quant_assets_tests.quant.simulation.execution.random_runs import (
    CAPITAL,
    logs,
    random_run,
)


def same(first, second):
    return all(
        a.shape == b.shape and np.array_equal(a, b, equal_nan=True)
        for a, b in zip(first, second, strict=True)
    )


def check_account(seed):
    """Recompute equity from fills and prices alone, and trades from the equity."""
    run = random_run(seed)
    preparation, book = run.run()
    market, n = preparation.market, book.counters
    fills = book.fills[: n[4]]
    log = ledger.trade_log(preparation, book)
    interest = book.rows[:, names.ROW_FIELDS.index("interest")].sum()
    change = book.rows[-1, 1] - CAPITAL
    scale = max(CAPITAL, np.abs(book.rows[:, 1:4]).max())
    assert abs(log["flow"].sum() + interest - change) < 1e-9 * scale
    position = np.zeros(market.close.shape)
    np.add.at(position, (fills[:, 0].astype(int), fills[:, 1].astype(int)), fills[:, 3])
    position = position.cumsum(axis=0)
    largest = np.abs(fills[:, 3]).max(initial=1.0)
    np.testing.assert_allclose(position[-1], book.symbols[:, 0], atol=1e-11 * largest)
    assert (fills[:, 3] != 0.0).all()
    assert (market.volume[fills[:, 0].astype(int), fills[:, 1].astype(int)] != 0.0).sum() >= (
        fills[:, 10] != kernel.LIQUIDATION
    ).sum()
    parts = [code for code in fills[:, 10] if code in (kernel.LIMIT_CUT, kernel.RESIZE)]
    return [names.REASONS[int(code)] for code in (*log["reason"], *parts)]


def test_identity_and_sums_hold_for_random_accounts():
    reasons = Counter(reason for seed in range(8) for reason in check_account(seed))
    assert sum(reasons.values()) > 50


@pytest.mark.slow
def test_a_thousand_random_accounts_balance_and_meet_every_reason():
    """The kernel refuses a bar whose books differ by 1e-9; here nothing is refused."""
    reasons = Counter(reason for seed in range(1_000) for reason in check_account(seed))
    missing = set(names.REASONS) - set(reasons) - {"order", "left_universe"}
    assert not missing


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(10_000, 99_999), cut=st.integers(1, 59))
def test_two_calls_give_what_one_gives(seed, cut):
    run = random_run(seed)
    assert same(logs(run.run()[1]), logs(run.run(cut)[1]))


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(10_000, 99_999), cut=st.integers(2, 59))
def test_what_comes_later_changes_nothing(seed, cut):
    run = random_run(seed)
    whole, part = run.run()[1], run.first(cut).run()[1]
    n = part.counters
    assert same([whole.rows[:cut]], [part.rows])
    assert same(
        [whole.fills[: n[4]], whole.trades[: n[6]]], [part.fills[: n[4]], part.trades[: n[6]]]
    )
    assert (whole.fills[n[4] : whole.counters[4], 0] >= cut).all()


@pytest.mark.slow
@settings(max_examples=100, deadline=None, derandomize=True)
@given(seed=st.integers(10_000, 99_999))
def test_order_of_symbols_does_not_matter(seed):
    run = random_run(seed)
    order = np.random.default_rng(seed).permutation(3)
    assert same(logs(run.run()[1]), logs(run.permuted(order).run()[1]))


def test_growing_logs_change_nothing():
    """Short first logs: the kernel stops before a bar that might not fit, and goes on."""
    run = random_run(3, n_bars=400)
    book = run.run()[1]
    assert book.counters[4] > 0
    assert same(logs(book), logs(run.run(200)[1]))


def test_codes_of_the_kernel_have_the_names_of_the_book():
    """Codes and the names that frames show for them are in the same order."""
    assert kernel.WEIGHT not in units.UNIT_CODES
    for code, kind in enumerate(("MARKET", "LIMIT", "STOP", "STOP_LIMIT", "TRAILING")):
        assert getattr(kernel, kind) == code
        assert names.KINDS[code].startswith(kind.lower())
    for code, reason in enumerate(
        (
            "ENTRY",
            "EXIT_SIGNAL",
            "TARGET_WEIGHT",
            "STOP_LOSS",
            "TRAILING_STOP",
            "TAKE_PROFIT",
            "TIME_STOP",
            "DRAWDOWN_HALT",
            None,
            "LIQUIDATION",
            "ORDER",
            "REVERSAL",
        )
    ):
        assert reason is None or (
            getattr(kernel, reason) == code and names.REASONS[code] == reason.lower()
        )
    assert names.REASONS[kernel.LEFT_UNIVERSE] == "left_universe"
    assert [names.REASONS[code] for code in (kernel.LIMIT_CUT, kernel.RESIZE)] == [
        "limit_cut",
        "resize",
    ]
    by = ("LEVERAGE", "POSITION", "GROSS", "NET", "SECTOR", "COUNT", "HEAT", "CORRELATION")
    by += ("CUT", "HALT", "DAILY", "COOL", "LEAST", "NO_STOP", "LOT", "RUIN", "UNIVERSE")
    assert [getattr(kernel, f"BY_{name}") for name in by] == list(range(len(names.RULES)))
    assert kernel.TRADED_NOTIONAL < kernel.KEPT < names.N_SYMBOL
    assert kernel.LAST_TRADE < names.N_FLAGS
    assert kernel.C_CHILDREN < kernel.C_LEAVES < kernel.C_PARENT_GROUP < names.N_CODE
    ends = ("OPEN_ORDER", "FILLED", "NOTHING_LEFT", "EXPIRED", "REJECTED", "WITHDRAWN")
    ends += ("IN_GROUP", "IN_HALT", "UNFILLED", "REPLACED", "OUTSIDE")
    assert [getattr(kernel, end) for end in ends] == list(range(len(names.ENDS)))
    assert {status for status, _ in names.ENDS} == set(names.STATUSES)
    assert {cause for _, cause in names.ENDS} == set(names.CANCELLED_BY)
    assert kernel.O_LOSS < names.N_ORDER


def test_books_that_do_not_balance_name_the_bar():
    bars = flat_bars(5)
    bars.close.base[3] = np.inf  # a panel refuses it, and is read-only
    with pytest.raises(DataError, match="the books of bar 3 "):
        tell(bars, Signals(entry_long=at(bars, 0)))
