"""Random markets against the independent ledger, and the invariants of the accounts."""

import time
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.contracts.final_holdings import FinalHoldings
from quant_assets_tests.quant.simulation import ledger
from quant_assets_tests.quant.simulation.markets import (
    HOUR,
    START,
    bars,
    context,
    funding,
    market,
    simulate,
    weights,
)

BAR = 6 * HOUR
SEEDS = st.integers(0, 2**32 - 1)


def some_mark(rng, scale):
    return scale if rng.random() < 0.5 else float("nan")


def random_market(rng, n_bars, n_symbols, scale=1.0):
    names = [f"S{k}/USDT:USDT" for k in range(n_symbols)]
    closes = scale * np.exp(np.cumsum(rng.normal(0, 0.03, (n_bars, n_symbols)), axis=0))
    opens = closes * np.exp(rng.normal(0, 0.01, closes.shape))
    hours = sorted(rng.choice(np.arange(0, 6 * n_bars), 2 * n_bars, replace=False).tolist())
    paid = [
        (float(h), int(rng.integers(n_symbols)), float(rng.normal(0, 1e-3)), some_mark(rng, scale))
        for h in hours
    ]
    return names, opens, closes, paid


def of_entrant(frame, entrant):
    return frame[frame["entrant"] == entrant].reset_index(drop=True)


def random_weights(rng, n_symbols, *, long_only):
    raw = rng.dirichlet(np.ones(n_symbols)) * rng.uniform(0, 1)
    return raw if long_only else raw * rng.choice([-1, 1], n_symbols)


def frames(names, opens, closes, start=0):
    columns = {name: opens[:, k].tolist() for k, name in enumerate(names)}
    ends = {name: closes[:, k].tolist() for k, name in enumerate(names)}
    return bars(columns, ends, start=START + start * BAR, bar_length=BAR)


def settlements(names, paid, first, last):
    return funding(
        [
            (START + timedelta(hours=h), names[s], rate, mark)
            for h, s, rate, mark in paid
            if first * 6 <= h < last * 6
        ]
    )


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    seed=SEEDS,
    n_symbols=st.integers(1, 6),
    cut=st.integers(2, 9),
    fee=st.sampled_from([0.0, 1.0, 50.0]),
    slippage=st.sampled_from([0.0, 5.0, 100.0]),
    fill=st.sampled_from(["next_open", "next_close"]),
    scale=st.sampled_from([1e-6, 1.0, 1e5]),
    rate=st.sampled_from([0.0, 0.05]),
)
def test_two_chained_windows_equal_one_long_independent_ledger(
    seed, n_symbols, cut, fee, slippage, fill, scale, rate
):
    """The splitting property, costs, funding and interest at once; equity to 1e-9 at each bar."""
    rng = np.random.default_rng(seed)
    n_bars = 10
    names, opens, closes, paid = random_market(rng, n_bars, n_symbols, scale)
    decisions = {0: random_weights(rng, n_symbols, long_only=False)}
    decisions[cut] = random_weights(rng, n_symbols, long_only=False)
    venue = market(BAR, "assume_zero", bars_per_year=1460)
    options = {"fee_bps": fee, "slippage_bps": slippage, "fill": fill, "cash_rate": rate}
    held, equity = FinalHoldings.empty(), []
    for first, last in ((0, cut), (cut, n_bars)):
        begins = START + first * BAR
        result = simulate(
            context(start=begins, market=venue, **options),
            weights({"e": dict(zip(names, decisions[first], strict=True))}, begins),
            frames(names, opens[first:last], closes[first:last], first),
            paid=settlements(names, paid, first, last),
            before=held,
        )
        held = result["final_holdings"]
        equity += result["equity"]["equity"].tolist()

    costs = ledger.Costs(fee * 1e-4, slippage * 1e-4, (1 + rate) ** (1 / 1460) - 1, True)
    costs.at_open = fill == "next_open"
    expected, _, _ = ledger.run(
        ledger.Market(opens, closes, np.arange(n_bars) * 6.0, 6.0, paid),
        decisions,
        costs,
        1000.0,
        np.zeros(n_symbols),
    )
    np.testing.assert_allclose(equity, expected, rtol=1e-9)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, fill=st.sampled_from(["next_open", "next_close"]), long_only=st.booleans())
def test_accounts_balance_and_never_borrow_through_random_gaps(seed, fill, long_only):
    rng = np.random.default_rng(seed)
    n_bars, n_symbols = 8, 4
    names, opens, closes, _ = random_market(rng, n_bars, n_symbols)
    gaps = rng.random(opens.shape) < 0.4
    gaps[:, 0] = False
    opens, closes = np.where(gaps, np.nan, opens), np.where(gaps, np.nan, closes)
    held = FinalHoldings.empty()
    for first, last in ((0, 4), (4, 8)):
        begins = START + first * BAR
        decided = random_weights(rng, n_symbols, long_only=long_only)
        result = simulate(
            context(start=begins, market=market(BAR), fee_bps=20.0, slippage_bps=30.0, fill=fill),
            weights({"e": dict(zip(names, decided, strict=True))}, begins),
            frames(names, opens[first:last], closes[first:last], first),
            before=held,
        )
        held, book = result["final_holdings"], result["equity"]
        total = book["cash"] + book["position_value"]
        np.testing.assert_allclose(total, book["equity"], rtol=1e-9)
        value = float((held["quantity"] * held["mark_price"]).sum())
        assert value == pytest.approx(book["equity"].iloc[-1], rel=1e-12)
        traded = result["fills"]
        assert traded["fee"].sum() == pytest.approx(book["fees"].sum())
        assert traded["slippage"].sum() == pytest.approx(book["slippage"].sum())
        if long_only:
            assert (book["cash"] >= -1e-9 * book["equity"]).all()


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_cash_moves_only_by_fills_and_trades_explain_realised_profit(seed):
    """Start = 1000; final cash = start - sum(quantity x price) - fees; pnl closes the loop."""
    rng = np.random.default_rng(seed)
    names, opens, closes, _ = random_market(rng, 6, 3)
    held, cash_flow, closing_fees, pnl = FinalHoldings.empty(), 0.0, 0.0, 0.0
    all_fees = 0.0
    for first, last in ((0, 2), (2, 4), (4, 6)):
        begins = START + first * BAR
        decided = random_weights(rng, 3, long_only=False)
        result = simulate(
            context(start=begins, market=market(BAR), fee_bps=30.0, slippage_bps=20.0),
            weights({"e": dict(zip(names, decided, strict=True))}, begins),
            frames(names, opens[first:last], closes[first:last], first),
            before=held,
        )
        held, fills, trades = (result[k] for k in ("final_holdings", "fills", "trades"))
        cash_flow -= float((fills["quantity"] * fills["price"] + fills["fee"]).sum())
        all_fees += float(fills["fee"].sum())
        closing_fees += float(trades["fee"].sum())
        pnl += float(trades["pnl"].sum())
    cash = held[held["kind"] == "cash"]["quantity"].iloc[0]
    assert cash == pytest.approx(1000 + cash_flow, rel=1e-12)
    open_value = held[held["kind"] == "position"]
    cost_basis = float((open_value["quantity"] * open_value["average_price"]).sum())
    opening_fees = all_fees - closing_fees
    assert cash + cost_basis == pytest.approx(1000 + pnl - opening_fees, rel=1e-12)


def test_permuting_symbols_and_entrants_permutes_the_results():
    rng = np.random.default_rng(7)
    names, opens, closes, _ = random_market(rng, 5, 4)
    renamed = dict(zip(names, ["D", "A", "C", "B"], strict=True))
    decided = {f"e{k}": random_weights(rng, 4, long_only=False) for k in range(3)}
    swapped = {"e0": "z", "e1": "a", "e2": "m"}
    stage = context(market=market(BAR), fee_bps=20.0, slippage_bps=30.0)
    plain = simulate(
        stage,
        weights({e: dict(zip(names, w, strict=True)) for e, w in decided.items()}),
        frames(names, opens, closes),
    )
    other = simulate(
        stage,
        weights(
            {swapped[e]: dict(zip(renamed.values(), w, strict=True)) for e, w in decided.items()}
        ),
        frames(list(renamed.values()), opens, closes),
    )
    for entrant, name in swapped.items():
        mine = of_entrant(plain["equity"], entrant)
        yours = of_entrant(other["equity"], name)
        pd.testing.assert_frame_equal(
            mine.drop(columns="entrant"), yours.drop(columns="entrant"), rtol=1e-12
        )
    held = plain["final_holdings"].replace({"entrant": swapped, "symbol": renamed})
    held = held.sort_values(["entrant", "kind", "symbol"], ignore_index=True)
    pd.testing.assert_frame_equal(held, other["final_holdings"], rtol=1e-12)


def test_entrants_do_not_influence_each_other():
    rng = np.random.default_rng(3)
    names, opens, closes, _ = random_market(rng, 5, 3)
    decided = {
        f"e{k}": dict(zip(names, random_weights(rng, 3, long_only=True), strict=True))
        for k in range(3)
    }
    stage = context(market=market(BAR), fee_bps=20.0)
    together = simulate(stage, weights(decided), frames(names, opens, closes))["equity"]
    alone = simulate(stage, weights({"e1": decided["e1"]}), frames(names, opens, closes))["equity"]
    mine = of_entrant(together, "e1")
    pd.testing.assert_frame_equal(mine, alone, check_exact=True)


@pytest.mark.slow
def test_nine_entrants_a_month_of_five_minute_bars_take_less_than_a_second():
    rng = np.random.default_rng(1)
    names, opens, closes, _ = random_market(rng, 8640, 12)
    columns = [{n: grid[:, k].tolist() for k, n in enumerate(names)} for grid in (opens, closes)]
    prices = bars(*columns, bar_length=timedelta(minutes=5))
    decided = weights(
        {
            f"e{k}": dict(zip(names, random_weights(rng, 12, long_only=True), strict=True))
            for k in range(9)
        }
    )
    stage = context(market=market(timedelta(minutes=5), bars_per_year=105_120))
    simulate(stage, decided, prices)
    began = time.perf_counter()
    simulate(stage, decided, prices)
    assert time.perf_counter() - began < 1.0  # 0.07 s for the stage, the rest checks contracts
