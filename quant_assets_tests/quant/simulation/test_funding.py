"""Funding by hand: exact times, positions before the fill, marks, and missing series."""

from datetime import timedelta

import numpy as np
import pytest

from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import RecordingTelemetry
from quant_assets.quant.simulation.settlements import is_inverse, is_perpetual
from quant_assets_tests.quant.simulation.markets import (
    DAY,
    HOUR,
    START,
    bars,
    cash_of,
    context,
    funding,
    holdings,
    market,
    simulate,
    weights,
)

PERP, SPOT, NAN = "BTC/USDT:USDT", "BTC/USDT", float("nan")
HELD = {"e": {"USDT": (0, 1, 1), PERP: (10, 100, 100)}}


def run(rows, *, prices, decided=None, before=None, mode="required", bar_length=DAY, **options):
    stage = context(market=market(bar_length, mode), **options)
    decided = decided or {"e": {PERP: 1.0}}
    return simulate(
        stage,
        weights(decided, stage.decided_at),
        prices,
        paid=funding(rows),
        before=None if before is None else holdings(before),
    )


@pytest.mark.parametrize(
    ("weight", "rate", "paid"),
    [(1.0, 0.001, -1.0), (1.0, -0.001, 1.0), (-1.0, 0.001, 1.0), (-1.0, -0.001, -1.0)],
)
def test_funding_sign_table(weight, rate, paid):
    prices = bars({PERP: [100, 100]})
    rows = [(START + 8 * HOUR, PERP, rate, 100.0)]
    result = run(rows, prices=prices, decided={"e": {PERP: weight}})
    assert result["equity"]["funding"].tolist() == pytest.approx([paid, 0.0])
    assert result["equity"]["equity"].tolist() == pytest.approx([1000 + paid] * 2)


def test_daily_bars_charge_every_settlement_of_the_day():
    rows = [(START + hours * HOUR, PERP, 0.001, NAN) for hours in (0, 8, 16, 24, 32, 40)]
    result = run(rows, prices=bars({PERP: [100, 100]}, {PERP: [110, 120]}))
    # the fill at 00:00 does not pay at 00:00; 10 held. Day 1 has no earlier close: the open 100
    # marks 08:00 and 16:00; day 2 marks all three at the last close 110
    assert result["equity"]["funding"].tolist() == pytest.approx([-2 * 1.0, -3 * 1.1])


def test_fill_exactly_at_the_settlement_pays_on_the_old_position():
    rows = [(START, PERP, 0.01, 100.0)]
    result = run(rows, prices=bars({PERP: [100, 100]}), decided={"e": {PERP: 0.0}}, before=HELD)
    # 10 x 100 x 0.01 paid at the open, then all is sold at that open
    assert cash_of(result) == pytest.approx(990.0)
    assert result["equity"]["funding"].tolist() == pytest.approx([-10.0, 0.0])


def test_fill_at_the_close_does_not_pay_at_that_instant():
    # from cash: bought at the close of day 1, which is the instant of day 2's 00:00 settlement
    rows = [(START + 24 * HOUR, PERP, 0.01, 100.0), (START + 32 * HOUR, PERP, 0.02, 100.0)]
    result = run(rows, prices=bars({PERP: [100, 100]}), fill="next_close")
    assert result["equity"]["funding"].tolist() == pytest.approx([0.0, -20.0])


def test_sale_at_the_close_still_pays_at_that_instant():
    rows = [(START + 24 * HOUR, PERP, 0.01, 100.0), (START + 32 * HOUR, PERP, 0.02, 100.0)]
    result = run(
        rows,
        prices=bars({PERP: [100, 100]}),
        decided={"e": {PERP: 0.0}},
        before=HELD,
        fill="next_close",
    )
    assert result["equity"]["funding"].tolist() == pytest.approx([0.0, -10.0])


def test_settlement_inside_a_bar_pays_on_the_position_after_the_open_fill():
    rows = [(START + timedelta(minutes=30), PERP, 0.01, 100.0)]
    result = run(
        rows,
        prices=bars({PERP: [100, 100]}, bar_length=HOUR),
        decided={"e": {PERP: 0.5}},
        before=HELD,
        bar_length=HOUR,
    )
    assert result["equity"]["funding"].tolist() == pytest.approx([-5.0, 0.0])


def test_own_mark_price_wins_over_the_last_close():
    rows = [(START, PERP, 0.01, 120.0)]
    result = run(rows, prices=bars({PERP: [100]}), before=HELD)
    assert result["equity"]["funding"].tolist() == pytest.approx([-12.0])


def test_last_known_close_before_the_window_marks_the_first_settlement():
    rows = [(START, PERP, 0.01, NAN)]
    before = {"e": {"USDT": (0, 1, 1), PERP: (10, 90, 105)}}
    result = run(rows, prices=bars({PERP: [100]}), before=before)
    assert result["equity"]["funding"].tolist() == pytest.approx([-10.5])


def test_settlement_between_two_bars_is_due_before_the_next_open():
    prices = bars({PERP: [100, 100, 100, 100]})
    prices = prices[prices["ts"].isin([START, START + 3 * DAY])].reset_index(drop=True)
    rows = [(START + 2 * DAY, PERP, 0.01, 100.0)]
    result = run(rows, prices=prices)
    assert result["equity"]["funding"].tolist() == pytest.approx([0.0, -10.0])


def test_settlement_after_the_last_bar_is_left_out_and_counted():
    telemetry = RecordingTelemetry()
    stage = context(market=market(DAY, "required"))
    rows = [(START + 8 * HOUR, PERP, 0.0, NAN), (START + 5 * DAY, PERP, 0.5, 100.0)]
    result = simulate(
        stage,
        weights({"e": {PERP: 1.0}}),
        bars({PERP: [100, 100]}),
        paid=funding(rows),
        telemetry=telemetry,
    )
    assert result["equity"]["funding"].tolist() == [0.0, 0.0]
    assert telemetry.rows[-1]["funding_outside_bars"] == 1.0


def test_spot_never_pays_and_needs_no_funding():
    rows = [(START + 8 * HOUR, SPOT, 0.01, 100.0)]
    result = run(rows, prices=bars({SPOT: [100, 100]}), decided={"e": {SPOT: 1.0}})
    assert result["equity"]["funding"].tolist() == [0.0, 0.0]


def test_required_funding_that_is_missing_names_symbol_and_window():
    message = r"no funding for the held perpetuals \['BTC/USDT:USDT'\].*2024-01-01 to 2024-02-01"
    with pytest.raises(DataError, match=message):
        run([], prices=bars({PERP: [100, 100]}))


def test_required_funding_of_a_symbol_that_nobody_holds_is_not_missed():
    rows = [(START + 8 * HOUR, PERP, 0.001, 100.0)]
    decided = {"e": {PERP: 1.0, "ETH/USDT:USDT": 0.0}}
    prices = bars({PERP: [100, 100], "ETH/USDT:USDT": [5, 5]})
    assert len(run(rows, prices=prices, decided=decided)["equity"]) == 2


@pytest.mark.parametrize(("n_bars", "fails"), [(7, False), (8, True)])
def test_required_funding_is_asked_for_from_eight_hours_on(n_bars, fails):
    prices = bars({PERP: [100.0] * n_bars}, bar_length=HOUR)
    if fails:
        with pytest.raises(DataError, match="no funding"):
            run([], prices=prices, bar_length=HOUR)
    else:
        assert len(run([], prices=prices, bar_length=HOUR)["equity"]) == n_bars


def test_assume_zero_skips_what_is_missing_and_pays_what_is_there():
    rows = [(START + 8 * HOUR, PERP, 0.01, 100.0)]
    decided = {"e": {PERP: 0.5, "ETH/USDT:USDT": 0.5}}
    prices = bars({PERP: [100, 100], "ETH/USDT:USDT": [5, 5]})
    result = run(rows, prices=prices, decided=decided, mode="assume_zero")
    assert result["equity"]["funding"].tolist() == pytest.approx([-5.0, 0.0])


def test_market_without_funding_ignores_the_series():
    rows = [(START + 8 * HOUR, PERP, 0.01, 100.0)]
    result = run(rows, prices=bars({PERP: [100, 100]}), mode="none")
    assert result["equity"]["funding"].tolist() == [0.0, 0.0]


def test_changing_intervals_are_summed_event_by_event():
    hours = [*range(8, 48, 8), *range(48, 72, 4), *range(72, 96)]
    rows = [(START + h * HOUR, PERP, 1e-4, 100.0) for h in hours]
    result = run(rows, prices=bars({PERP: [100.0] * 4}))
    assert result["equity"]["funding"].tolist() == pytest.approx(np.array([2, 3, 6, 24]) * -0.1)


@pytest.mark.parametrize(
    ("symbol", "perpetual", "inverse"),
    [
        ("BTC/USDT", False, False),
        ("BTC/USDT:USDT", True, False),
        ("BTC/USD:BTC", True, True),
        ("BTC/USDT:USDT-240628", False, False),
        ("BTC/USD:BTC-240628", False, True),
        ("NA", False, False),
    ],
)
def test_symbol_kinds(symbol, perpetual, inverse):
    assert (is_perpetual(symbol), is_inverse(symbol)) == (perpetual, inverse)
