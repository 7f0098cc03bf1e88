"""The leak check as a whole by hand: functions, features, memory, start-up, the report."""

import json
import threading
from functools import cache, lru_cache
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError, DataError, LookAheadError
from quant_assets.quant.features.base import Feature, FeatureInputs, Months
from quant_assets.quant.leaks.functions import check_feature, check_function
from quant_assets.quant.leaks.memory import Memory
from quant_assets.quant.leaks.report import LeakReport
from quant_assets.quant.leaks.settings import Settings
from quant_assets.quant.leaks.strategies import check_strategy
from quant_assets_tests.quant.leaks.honest import Crossing
from quant_assets_tests.quant.leaks.markets import market
from quant_assets_tests.quant.leaks.planted import FutureListings, NextClose, RareExit

BARS = market(120)
SERIES = np.cumsum(np.random.default_rng(3).normal(size=150)) + 100.0
QUICK = Settings(start_up=False)


@pytest.mark.slow
def test_function_of_arrays_frames_and_series_is_checked():
    frame = pd.DataFrame({"close": SERIES}, index=pd.date_range("2024", periods=150, freq="h"))
    for data in (SERIES, frame, frame["close"], {"close": SERIES, "day": np.arange(150) // 24}):
        assert check_function(lambda d: pd.DataFrame(d).cumsum(), data, settings=QUICK).trusted
        report = check_function(
            lambda d: pd.DataFrame(d) - pd.DataFrame(d).mean(), data, settings=QUICK
        )
        assert report.verdict == "leak"
        assert "statistic of all rows" in report.leaks[0].cause


@pytest.mark.slow
def test_frame_without_rows_that_were_dropped_is_put_on_its_index():
    frame = pd.DataFrame({"close": SERIES}, index=pd.date_range("2024", periods=150, freq="h"))
    assert check_function(lambda d: d.diff().dropna(), frame, settings=QUICK).trusted
    assert not check_function(lambda d: d.diff(-1).dropna(), frame, settings=QUICK).trusted


def earned_at_once(bars):
    """The position decided at a close, paid with the return that led to it."""
    returns = np.vstack([np.zeros((1, 4)), bars.close[1:] / bars.close[:-1] - 1.0])
    return np.where(returns > 0.0, 1.0, 0.0)


def earned_later(bars):
    """The position that was decided at the close before."""
    return np.vstack([np.zeros((1, 4)), earned_at_once(bars)[:-1]])


def test_same_bar_fill_is_found_when_the_output_stands_one_row_ahead():
    ahead = Settings(lead=1, start_up=False)
    assert check_function(earned_at_once, BARS, settings=QUICK).trusted
    assert check_function(earned_later, BARS, settings=ahead).trusted
    report = check_function(earned_at_once, BARS, settings=ahead)
    assert report.verdict == "leak"
    assert all(leak.row == leak.cut + 1 for leak in report.leaks)
    assert "before its own bar" in report.leaks[0].cause


def test_given_cuts_are_tried_in_all_ways():
    report = check_function(np.cumsum, SERIES, settings=Settings(cuts=[20, 90], start_up=False))
    assert report.trusted
    assert sorted(report.probes) == sorted(
        f"{kind} from row {cut + 1}"
        for cut in (20, 90)
        for kind in ("truncated", "noise", "noise", "missing")
    )
    with pytest.raises(ConfigError, match=r"cuts \[149\]"):
        check_function(np.cumsum, SERIES, settings=Settings(cuts=[149]))


class Local(Feature):
    """A return over two rows; `ahead` turns it into that of tomorrow."""

    name: ClassVar[str] = "local"
    lookback: ClassVar[Months] = Months(1)
    step: ClassVar[int] = 2

    def compute(self, inputs):
        return pd.DataFrame(inputs.close).pct_change(self.step, fill_method=None).to_numpy()


class Ahead(Local):
    step: ClassVar[int] = -1


def test_feature_is_checked_and_its_lookback_compared():
    close = BARS.close
    returns = pd.DataFrame(close).pct_change(fill_method=None).to_numpy()
    inputs = FeatureInputs.of(
        close=close,
        returns=returns,
        market=np.nan_to_num(returns).mean(axis=1),
        month_bars=2,
        bars_per_year=8766,
        symbols=BARS.symbols,
        ts=pd.DatetimeIndex(BARS.ts, tz="UTC"),
    )
    report = check_feature(Local(), inputs)
    assert report.trusted
    assert [(s.output, s.needed, s.declared) for s in report.start_up] == [("value", 2, 2)]
    assert check_feature(Ahead(), inputs).verdict == "leak"


def decayed(values):
    return pd.Series(values).ewm(alpha=0.5, adjust=False).mean()


def test_start_up_counts_the_bars_until_the_beginning_is_forgotten():
    counted = check_function(
        lambda v: (decayed(v), np.arange(len(v)), pd.Series(v).rolling(5).mean()),
        SERIES,
        settings=Settings(warm_up=4, tolerance=1e-4),
    )
    by_name = {part.output: part for part in counted.start_up}
    mean, first = decayed(SERIES).to_numpy(), 150 - 37
    gap = abs(mean[first] - SERIES[first]) / np.abs(mean[first:]).max()
    expected = int(np.floor(np.log2(gap / 1e-4))) + 1
    assert by_name["value_0"].needed == expected
    assert not by_name["value_0"].sufficient
    assert by_name["value_1"].needed is None
    assert by_name["value_2"].needed == 4
    assert by_name["value_2"].sufficient
    assert "start-up of value_1: needs more than 37 bars, declared 4" in str(counted)
    assert counted.trusted


def test_random_numbers_and_clocks_are_told_apart_from_leaks():
    noisy = check_function(lambda v: v + np.random.normal(size=len(v)), SERIES, settings=QUICK)  # noqa: NPY002
    assert noisy.verdict == "not_deterministic"
    assert noisy.leaks == ()
    assert noisy.unstable[0].probe == "repeated"
    report = check_function(hour_of_now, SERIES, settings=QUICK)
    assert report.verdict == "not_deterministic"
    assert "pd.Timestamp.now" in report.unstable[0].source[0]


def hour_of_now(values):
    return values * (1.0 if pd.Timestamp.now("UTC").year < 1900 else 2.0)


def test_random_generators_are_left_as_they_were():
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.random(3)  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    check_function(np.cumsum, SERIES, settings=QUICK)
    assert np.random.random(3).tolist() == expected.tolist()  # noqa: NPY002


def test_writing_to_the_input_is_told():
    def write(values):
        values[0] = 7.0
        return values.cumsum()

    report = check_function(write, SERIES.copy(), settings=QUICK)
    assert report.verdict == "not_deterministic"
    assert report.unstable[-1].probe == "written"


def test_silence_is_no_proof():
    report = check_function(lambda v: np.zeros(len(v), dtype=bool), SERIES, settings=QUICK)
    assert report.verdict == "undecided"
    assert report.silent == ("value",)
    with pytest.raises(LookAheadError, match="nothing could be compared"):
        report.raise_if_untrusted()


def test_code_that_fails_on_short_data_is_told_and_judged_by_the_rest():
    def picky(values):
        if len(values) < 60:
            raise ValueError("too short")
        return np.cumsum(values)

    report = check_function(picky, SERIES, settings=Settings(start_up=False, warm_up=70))
    assert report.trusted
    early = check_function(picky, SERIES, settings=QUICK)
    assert early.failed
    assert "too short" in early.failed[0]


COUNTER = {"calls": 0}
TOTAL = 0


@cache
def power(n):
    return 2.0**n


class Keeper:
    """Remembers in all ways that there are."""

    shared: ClassVar[list] = []

    def __init__(self):
        self.own = {}

    def run(self, values, seen=[]):  # noqa: B006 - the planted fault
        global TOTAL  # noqa: PLW0603 - the planted fault
        TOTAL = TOTAL + 1
        COUNTER["calls"] += 1
        self.own["last"] = values
        self.shared.append(values)
        type(self).added = values
        seen.append(values)
        power(3)
        return len(seen), TOTAL, COUNTER["calls"], len(self.shared), power.cache_info().misses


def test_memory_puts_back_everything_that_the_code_reaches():
    keeper = Keeper()
    memory = Memory(keeper.run)
    first = keeper.run(1)
    assert keeper.run(2) != first
    memory.restore()
    assert not hasattr(Keeper, "added")
    assert keeper.own == {}
    assert keeper.run(1) == first
    memory.restore()


def test_state_that_cannot_be_copied_is_told():
    locked = {"lock": threading.Lock(), "total": 0}

    def count(values):
        locked["total"] += 1
        return np.cumsum(values)

    report = check_function(count, SERIES, settings=QUICK)
    assert report.trusted
    assert "a dict that the code reaches is not put back" in report.failed[0]


def test_code_that_names_a_symbol_is_tried_with_all_of_them_listed():
    def pair(bars):
        first, last = bars.symbols.index("AAA"), bars.symbols.index("DDD")
        return bars.close[:, first] - bars.close[:, last]

    report = check_function(pair, BARS, settings=QUICK)
    assert report.trusted
    assert not report.failed


@lru_cache
def mean_of_first(n):
    return LATEST["values"].mean() + n


LATEST = {}


def score_by_cache(values):
    LATEST["values"] = values
    return values - mean_of_first(0)


def test_cache_filled_by_all_data_is_remembered():
    report = check_function(score_by_cache, SERIES, settings=QUICK)
    assert {"remembered", "truncated", "noise"} <= {leak.probe for leak in report.leaks}


@pytest.mark.slow
def test_strategy_report_is_plain_data():
    report = check_strategy(NextClose(), BARS, settings=QUICK)
    told = json.loads(json.dumps(report.to_dict()))
    assert told["verdict"] == "leak"
    assert told["trusted"] is False
    assert told["leaks"][0]["output"] in {"entry_long", "exit_long"}
    assert "shift(-1)" in str(report)
    assert check_strategy(Crossing(), BARS, settings=QUICK).to_dict()["trusted"] is True


def test_leak_of_one_output_is_told_of_that_one_only():
    report = check_strategy(RareExit(), BARS, settings=QUICK)
    assert {leak.output for leak in report.leaks} == {"exit_long"}


def test_universe_is_told_from_other_leaks():
    report = check_strategy(FutureListings(), BARS, settings=QUICK)
    assert [leak.cause for leak in report.leaks if leak.probe == "truncated"] == [
        "Likely the universe: symbols count that were listed later only."
    ]


@pytest.mark.slow
def test_further_outputs_of_a_strategy_are_compared():
    def sizes(strategy, bars):
        return {"size": 1.0 / np.nanstd(bars.close, axis=0) * np.ones_like(bars.close)}

    report = check_strategy(Crossing(), BARS, outputs=sizes, settings=QUICK)
    assert {leak.output for leak in report.leaks} == {"size"}


@pytest.mark.slow
def test_same_seed_same_report():
    one, other = (check_strategy(NextClose(), BARS) for _ in range(2))
    assert one == other
    assert isinstance(one, LeakReport)


def test_wrong_requests_are_refused():
    with pytest.raises(ConfigError, match=r"budget 0\.2"):
        Settings(budget=0.2)
    with pytest.raises(ConfigError, match=r"'free_rows': -1.*must not be negative"):
        Settings(free_rows=-1)
    with pytest.raises(ConfigError, match="7 rows cannot be cut"):
        check_function(np.cumsum, SERIES[:7])
    with pytest.raises(ConfigError, match="a str cannot be cut"):
        check_function(len, "text")
    with pytest.raises(ConfigError, match="belongs to bars"):
        check_function(np.cumsum, SERIES, decided_at=BARS.ts)
    with pytest.raises(DataError, match="do not decrease"):
        check_function(lambda b: b.close, BARS, decided_at=BARS.ts[::-1])
    with pytest.raises(ConfigError, match="neither signals"):
        check_strategy(object(), BARS)
    with pytest.raises(ConfigError, match="a class has neither signals"):
        check_strategy(Crossing, BARS)
    with pytest.raises(ConfigError, match=r"bars are a DataFrame; .*BarPanel\.from_frame"):
        check_strategy(Crossing(), BARS.frame())
    unsorted = pd.DataFrame({"a": SERIES}, index=pd.DatetimeIndex(range(len(SERIES)))[::-1])
    with pytest.raises(DataError, match="the index of the frame must increase"):
        check_function(lambda f: f["a"].cumsum(), unsorted)
    with pytest.raises(DataError, match="share axis 0"):
        check_function(lambda d: d["a"], {"a": SERIES, "b": SERIES[1:]})
