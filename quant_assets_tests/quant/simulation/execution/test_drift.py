"""Positions that prices move beyond a limit are cut back; plain Python says by how much."""

from datetime import timedelta

import numpy as np
import pytest

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.combined import limit_terms, rules_from
from quant_assets.quant.simulation.execution.defaults import frictionless, neutral_limits
from quant_assets.quant.sizing.entry.units import EntrySizes
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.simulation.execution.hand_runs import at, daily, tell

TENTH = {"max_position": {"pct": 0.1}}


def closes(*columns, **more):
    return daily({"close": np.array(columns, dtype=np.float64).T}, **more)


def limited(bars, signals, *rules, size=0.1, **instruments):
    sizes, limits = EntrySizes(np.full((1, len(bars.symbols)), size), 2), rules_from(rules)
    terms = frictionless(bars)
    terms = terms._replace(instruments=terms.instruments._replace(**instruments))
    return tell(
        bars, signals, plan=Plan(sizes=sizes, limits=limit_terms(limits, bars)), terms=terms
    )


DOUBLES = closes((100, 100, 200, 200, 200, 200))


def test_what_drifts_beyond_its_limit_is_cut_at_the_next_fill():
    """10,000 of 100,000 become 20,000 of 110,000: 18.2 %; 10 % are 11,000, or 55 units."""
    result = limited(DOUBLES, Signals(entry_long=at(DOUBLES, 0)), TENTH)
    assert result.fills.quantity.tolist() == pytest.approx([100.0, -45.0], rel=1e-12)
    assert result.fills.reason.tolist() == ["entry", "limit_cut"]
    assert result.fills.ts.tolist() == [result.equity.index[1], result.equity.index[3]]
    assert result.orders.decided_ts.tolist() == [result.equity.index[0], result.equity.index[2]]
    assert result.trades.exit_reason.tolist() == ["open"]  # a trade lasts until all is closed
    assert result.positions.weight.tolist() == pytest.approx([0.1], rel=1e-12)


def test_drift_may_be_kept_and_the_band_may_be_wide():
    """18.2 % lie inside of 10 % and nine tenths of it, and outside of eight tenths."""
    signals, rule = Signals(entry_long=at(DOUBLES, 0)), {"pct": 0.1}
    kept = limited(DOUBLES, signals, {"max_position": {**rule, "drift": "keep"}})
    wide = limited(DOUBLES, signals, {"max_position": {**rule, "band": 0.9}})
    assert kept.fills.quantity.tolist() == wide.fills.quantity.tolist() == [100.0]
    for band in (0.8, 0.0):  # at the limit is not beyond it: one cut
        found = limited(DOUBLES, signals, {"max_position": {**rule, "band": band}})
        assert found.fills.quantity.tolist() == pytest.approx([100.0, -45.0], rel=1e-12)


def test_lots_are_floored_and_what_no_venue_takes_is_left():
    signals = Signals(entry_long=at(DOUBLES, 0))
    lots = limited(DOUBLES, signals, TENTH, lot=np.array([10.0]))
    assert lots.fills.quantity.tolist() == [100.0, -50.0]
    coarse = limited(DOUBLES, signals, TENTH, lot=np.array([100.0]))
    assert coarse.trades.exit_reason.tolist() == ["limit_cut"]
    small = limited(DOUBLES, signals, TENTH, least_notional=np.array([9_600.0]))
    assert small.fills.quantity.tolist() == [100.0]  # 9,000 are to be sold


def test_what_closes_anyway_is_not_cut_and_a_halt_is_waited_for():
    leaves = Signals(entry_long=at(DOUBLES, 0), exit_long=at(DOUBLES, 2))
    assert limited(DOUBLES, leaves, TENTH).fills.reason.tolist() == ["entry", "exit_signal"]
    volume = np.array([[1e6], [1e6], [1e6], [0.0], [0.0], [1e6]])
    halted = closes(DOUBLES.close[:, 0], volume=volume)
    result = limited(halted, Signals(entry_long=at(halted, 0)), TENTH)
    assert result.orders.reason.tolist() == ["entry", "limit_cut"]
    assert result.fills.ts.tolist() == [result.equity.index[1], result.equity.index[5]]
    late = Signals(entry_long=at(halted, 0), exit_long=at(halted, 3))
    result = limited(halted, late, TENTH)
    assert result.fills.reason.tolist() == ["entry", "limit_cut", "exit_signal"]
    assert result.orders.status.tolist() == ["filled"] * 3


@pytest.mark.parametrize(
    ("weight", "fills"),
    [(0.3, [100.0, -45.0]), (0.05, [100.0, -72.5]), (-0.05, [100.0, -127.5])],
)
def test_a_target_within_the_limit_goes_first_and_one_beyond_gives_way(weight, fills):
    target = np.full((6, 1), np.nan)
    target[0], target[2] = 0.1, weight
    result = limited(DOUBLES, Signals(target=target), TENTH)
    by_bar = result.fills.groupby("ts").quantity.sum()
    assert by_bar.tolist() == pytest.approx(fills, rel=1e-12)


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ({"max_gross": {"pct": 0.6, "band": 0.0}}, (36_000, 18_000, -18_000)),
        (
            {"max_sector": {"pct": 0.4, "band": 0.0, "sectors": {"A": "x", "B": "x"}}},
            (32_000, 16_000, -20_000),
        ),
        (
            {"max_sector": {"pct": 0.3, "band": 0.0, "sectors": {"C": "x"}}},
            (36_000, 20_000, -20_000),
        ),
    ],
)
def test_of_a_group_all_are_cut_alike(rule, kept):
    """A has doubled: 40,000, 20,000 and -20,000 of 120,000."""
    bars = closes((100, 100, 200, 200), (100,) * 4, (100,) * 4)
    long, short = at(bars, 0), at(bars, 0, column=2)
    result = limited(bars, Signals(entry_long=long & ~short, entry_short=short), rule, size=0.2)
    assert result.final_equity == 120_000.0
    held = result.positions.weight.to_numpy() * 120_000.0
    assert sorted(held) == pytest.approx(sorted(kept), rel=1e-12)


def test_of_the_net_the_larger_side_is_cut():
    """A has tripled: 60,000, 20,000 and -20,000 of 140,000; 56,000 net are 40 %."""
    bars = closes((100, 100, 300, 300), (100,) * 4, (100,) * 4)
    long, short = at(bars, 0), at(bars, 0, column=2)
    rule, signals = {"max_net": {"pct": 0.4, "band": 0.0}}, (long & ~short, short)
    result = limited(bars, Signals(entry_long=signals[0], entry_short=signals[1]), rule, size=0.2)
    held = result.positions.weight.to_numpy() * 140_000.0
    assert sorted(held) == pytest.approx([-20_000.0, 19_000.0, 57_000.0], rel=1e-12)


def plain_kept(standing, sides, sector, limits, equity):
    """What limits leave of notionals: positions, sectors, net, gross; whether all were cut."""
    kept = standing.copy()
    beyond = kept > limits.drift_position * equity * (1 + 1e-9)
    kept[beyond] = np.minimum(kept[beyond], limits.held_position * equity)
    for group in np.unique(sector):
        total = kept[sector == group].sum()
        if total > limits.drift_sector * equity * (1 + 1e-9):
            kept[sector == group] *= min(1.0, limits.held_sector * equity / total)
    long, short = kept[sides > 0].sum(), kept[sides < 0].sum()
    if abs(long - short) > limits.drift_net * equity * (1 + 1e-9):
        larger = 1 if long > short else -1
        less, more = min(long, short), max(long, short)
        kept[sides == larger] *= min(1.0, (less + limits.held_net * equity) / more)
    all_of_them = kept.sum() > limits.drift_gross * equity * (1 + 1e-9)
    if all_of_them:
        kept *= min(1.0, limits.held_gross * equity / kept.sum())
    return kept, all_of_them


def leaves(signals, t, held):
    """Positions that signals close at bar t, by exits or entries on the other side."""
    long = signals.entry_long[t] & ~signals.exit_long[t]
    short = signals.entry_short[t] & ~signals.exit_short[t]
    out = np.where(held > 0, signals.exit_long[t], signals.exit_short[t])
    return out | ((long != short) & np.where(held > 0, short, long))


def check_account(seed, n=60):
    """Every cut of a free account is that of plain Python, and the limits hold after it."""
    rng = np.random.default_rng(seed)
    shape, sector = (n, 5), np.array([0, 0, 1, 1, 2])
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.06, shape), axis=0))
    opens = np.vstack([close[:1], close[:-1]]) * np.exp(rng.normal(0, 0.03, shape))
    ts = np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1, "D")
    bars = BarPanel.from_arrays(ts, tuple("ABCDE"), timedelta(days=1), open=opens, close=close)
    names = ("entry_long", "exit_long", "entry_short", "exit_short")
    flags = {n: rng.random(shape) < p for n, p in zip(names, (0.2, 0.05, 0.1, 0.05), strict=True)}
    sizes = {"position": 0.3, "gross": 0.9, "net": 0.4, "sector": 0.45}
    limits = {f"max_{n}": v if rng.random() < 0.6 else np.inf for n, v in sizes.items()}
    held_at = {f"held_{n}": limits[f"max_{n}"] for n in sizes}
    beyond = {f"drift_{n}": rng.choice([1.0, 1.01, 1.1]) * limits[f"max_{n}"] for n in sizes}
    terms = neutral_limits(5)._replace(sector=sector, **limits, **held_at, **beyond)
    plan, signals = Plan(sizes=EntrySizes(np.full((1, 5), 0.25), 2), limits=terms), Signals(**flags)
    result = tell(bars, signals, plan=plan)
    fills, places = result.fills, {ts: t for t, ts in enumerate(result.equity.index)}
    row = fills.ts.map(places).to_numpy()
    held, cash, cuts = np.zeros(5), 100_000.0, 0
    wanted, before, all_of_them = np.zeros(5), np.zeros(5), False
    for t in range(n):
        equity = cash + held @ opens[t]
        done = fills[row == t]
        for symbol in range(5):
            mine = done[done.symbol == "ABCDE"[symbol]]
            cut = mine[mine.reason == "limit_cut"].quantity.sum()
            kept = min(abs(before[symbol]), wanted[symbol] * equity / opens[t, symbol])
            expected = np.sign(before[symbol]) * (kept - abs(before[symbol]))
            if wanted[symbol] < np.inf:
                assert cut == pytest.approx(expected, rel=1e-9, abs=1e-9)
                cuts += cut != 0.0
            else:
                assert cut == 0.0
            held[symbol] += mine.quantity.sum()
        cash -= (done.quantity * done.price).sum()
        weight = np.abs(held * opens[t]) / (cash + held @ opens[t])
        for symbol in np.flatnonzero(wanted < np.inf):
            assert weight[symbol] <= wanted[symbol] * (1 + 1e-9)
        assert not all_of_them or weight.sum() <= terms.max_gross * (1 + 1e-9)
        held[np.abs(held) < 1e-9] = 0.0
        equity, notional = cash + held @ close[t], np.abs(held * close[t])
        standing = np.where(leaves(signals, t, held), 0.0, notional)
        kept, all_of_them = plain_kept(standing, np.sign(held), sector, terms, equity)
        wanted = np.where(kept < standing * (1 - 1e-9), kept / equity, np.inf)
        before = held.copy()
    return cuts


def test_cuts_are_those_of_plain_python():
    assert sum(check_account(seed, 15) for seed in range(1)) > 3


@pytest.mark.slow(seconds=5)
def test_cuts_of_random_accounts_are_those_of_plain_python():
    assert sum(check_account(seed) for seed in range(100, 125)) > 150
