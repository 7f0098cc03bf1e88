"""The candidate pool."""

import numpy as np
import pandas as pd

from quant_assets.contracts.bars import Bars
from quant_assets.contracts.candidate_pool import CandidatePool
from quant_assets.contracts.returns import Returns
from quant_assets.contracts.universe import Universe
from quant_assets.core.registry import discover
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.discovery.base import Screen
from quant_assets.quant.discovery.candidates import (
    SCREENS_PACKAGE,
    candidate_pool_window,
    on_axes,
)
from quant_assets.quant.market.panel import Panel
from quant_assets.quant.market.universe import universe_window
from quant_assets_tests.quant.market.frames import bars_frame, discovery, returns_frame

RULES = [
    "completeness",
    "dollar_volume",
    "duplicates",
    "history",
    "listed",
    "max_volatility",
    "min_volatility",
    "staleness",
]
N_DAYS = 31


def walk(seed, *, n=N_DAYS, volatility=0.02):
    steps = np.random.default_rng(seed).normal(0.0, volatility, n)
    return (100.0 * np.exp(np.cumsum(steps))).tolist()


def make(closes, *, telemetry=None, rules=None, **market):
    rules = {"min_history_bars": 20} | (rules or {})
    context, telemetry = discovery(rules=rules, **market), telemetry or NullTelemetry()
    bars = bars_frame(closes, start="2020-01-01")
    universe = universe_window(context, telemetry, bars=bars)
    pool = candidate_pool_window(
        context, telemetry, universe=universe, bars=bars, returns_matrix=returns_frame(bars)
    )
    return CandidatePool.check_frame(pool, where="candidate pool")


def failures(pool):
    failed = pool[~pool.passed]
    return dict(zip(failed.symbol, failed.rule, strict=True))


def test_screens_are_discovered_by_name():
    assert list(discover(SCREENS_PACKAGE, Screen)) == RULES


def test_pool_has_one_row_per_symbol_and_rule():
    pool = make({"B": walk(1), "A": walk(2)})
    assert pool.symbol.tolist() == ["A"] * 8 + ["B"] * 8
    assert pool.rule.tolist() == RULES * 2
    assert pool.passed.all()
    assert pool.is_candidate.all()
    assert (pool.decided_at == pd.Timestamp("2020-02-01", tz="UTC")).all()


def test_each_planted_fault_is_excluded_by_its_own_rule():
    good = walk(1)
    gappy = [None if row in (5, 11, 17) else value for row, value in enumerate(walk(2))]
    stale = walk(3)[:24] + [50.0] * 7
    # the peg moves every day, but by a hundredth of a per cent
    peg = [100.0 + 0.01 * (row % 2) for row in range(N_DAYS)]
    closes = {
        "COPY": [2.0 * value for value in good],
        "DEAD": walk(4)[:25],
        "FINE": walk(5),
        "GAPS": gappy,
        "GOOD": good,
        "NEW": [None] * 15 + walk(6, n=16),
        "PEG": peg,
        "STALE": stale,
        "WILD": walk(7, volatility=0.4),
    }
    pool = make(closes)
    assert failures(pool[pool.symbol != "DEAD"]) == {
        "GOOD": "duplicates",
        "GAPS": "completeness",
        "NEW": "history",
        "PEG": "min_volatility",
        "STALE": "staleness",
        "WILD": "max_volatility",
    }
    dead = pool[(pool.symbol == "DEAD") & ~pool.passed].rule.tolist()
    assert dead == ["completeness", "listed", "staleness"]
    assert pool[pool.is_candidate].symbol.unique().tolist() == ["COPY", "FINE"]


def test_delisted_twin_does_not_exclude_the_living_one():
    line = walk(1)
    # the old ticker has the longer history, and died
    pool = make({"OLD": line[:25], "TWIN": [None] * 8 + line[8:]})
    assert pool[pool.is_candidate].symbol.unique().tolist() == ["TWIN"]


def test_twin_that_fails_another_rule_does_not_exclude_the_good_one():
    line = walk(1)
    gappy = [None if row in (12, 15, 18, 21) else value for row, value in enumerate(line)]
    pool = make({"GAPS": gappy, "GOOD": [None] * 6 + line[6:]}, rules={"min_history_bars": 16})
    assert failures(pool) == {"GAPS": "completeness"}
    assert pool[pool.is_candidate].symbol.unique().tolist() == ["GOOD"]


def test_twin_that_fails_a_rule_of_a_later_name_does_not_exclude_either():
    line = walk(1)
    closes = {"GOOD": [None] * 6 + line[6:], "STALE": line[:-2] + [line[-3]] * 2}
    rules = {"min_history_bars": 16, "max_stale_bars": 1, "max_correlation": 0.8}
    pool = make(closes, rules=rules)
    assert failures(pool) == {"STALE": "staleness"}
    fresh = make(closes, rules=rules | {"max_stale_bars": 2})
    assert failures(fresh) == {"GOOD": "duplicates"}


def test_value_and_limit_stand_beside_each_exclusion():
    pool = make({"A": walk(1), "B": [None] * 20 + walk(2, n=11)})
    row = pool[(pool.symbol == "B") & (pool.rule == "history")].iloc[0]
    assert (row.value, row.limit, row.passed, row.is_candidate) == (11.0, 20.0, False, False)


def test_rule_that_does_not_apply_passes_without_a_value():
    closes_only = make({"A": walk(1)}, rules={"min_dollar_volume": 1e12}, price_fields=["close"])
    row = closes_only[closes_only.rule == "dollar_volume"].iloc[0]
    assert np.isnan(row.value)
    assert row.passed
    with_volume = make({"A": walk(1)}, rules={"min_dollar_volume": 1e12})
    assert failures(with_volume) == {"A": "dollar_volume"}


def test_telemetry_counts_candidates_and_exclusions():
    telemetry = RecordingTelemetry()
    make({"A": walk(1), "B": [None] * 20 + walk(2, n=11)}, telemetry=telemetry)
    row = telemetry.rows[-1]
    assert (row["symbols"], row["candidates"], row["excluded_by_history"]) == (2.0, 1.0, 1.0)


def test_renaming_symbols_permutes_the_pool():
    closes = {"A": walk(1), "B": [None] * 20 + walk(2, n=11), "C": walk(3)}
    renamed = {"Z": closes["A"], "Y": closes["B"], "X": closes["C"]}
    names = {"A": "Z", "B": "Y", "C": "X"}
    first, second = make(closes), make(renamed)
    # `duplicates` breaks ties by name, so its values depend on names
    first, second = (pool[pool.rule != "duplicates"] for pool in (first, second))
    first = first.assign(symbol=first.symbol.map(names)).sort_values(["symbol", "rule"])
    columns = ["symbol", "rule", "value", "passed", "is_candidate"]
    pd.testing.assert_frame_equal(
        first[columns].reset_index(drop=True),
        second[columns].reset_index(drop=True),
        check_dtype=False,
    )


def test_no_universe_gives_the_empty_contract():
    pool = candidate_pool_window(
        discovery(),
        NullTelemetry(),
        universe=Universe.empty(),
        bars=Bars.empty(),
        returns_matrix=Returns.empty(),
    )
    assert len(CandidatePool.check_frame(pool, where="pool")) == 0


def test_missing_returns_make_every_symbol_fail_and_say_so():
    context = discovery()
    bars = bars_frame({"A": walk(1)}, start="2020-01-01")
    universe = universe_window(context, NullTelemetry(), bars=bars)
    pool = candidate_pool_window(
        context, NullTelemetry(), universe=universe, bars=bars, returns_matrix=Returns.empty()
    )
    row = pool[pool.rule == "min_volatility"].iloc[0]
    assert np.isnan(row.value)
    assert not row.passed


def test_panel_on_other_axes_has_no_value_where_it_had_no_cell():
    ts = pd.date_range("2020-01-01", periods=3, freq="D", tz="UTC")
    panel = Panel(np.array([[1.0, 2.0], [3.0, 4.0]]), ts[1:], ("A", "B"))
    moved = on_axes(panel, ts[:2], ("B", "C"))
    np.testing.assert_array_equal(moved.values, [[np.nan, np.nan], [2.0, np.nan]])
