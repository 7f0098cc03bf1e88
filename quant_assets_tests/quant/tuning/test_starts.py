"""Searches, walk-forwards and what might have been, of runs that begin inside of their bars."""

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.core.errors import ConfigError
from quant_assets.quant.model_selection.walk_forward import WalkForward
from quant_assets.quant.tuning.audit import fill_audit
from quant_assets.quant.tuning.bench import Bench
from quant_assets.quant.tuning.costs import capacity, cost_surface
from quant_assets.quant.tuning.differences import RunSpec, compare_runs
from quant_assets.quant.tuning.out_of_sample import Span, spans_of, walk_forward
from quant_assets.quant.tuning.resampling import price_noise
from quant_assets.quant.tuning.study import tune
from quant_assets_tests.quant.tuning.samples import FREE, Cross, by_hand, market
from quant_assets_tests.quant.tuning.test_study import in_out

pytestmark = pytest.mark.slow

SPACE = {"fast": [2, 4], "slow": [6, 40]}
FIRST = 60
BARS = market(150, seed=5)
START = pd.Timestamp(BARS.ts[FIRST], tz="UTC").to_pydatetime()


def test_trials_begin_warm_and_are_measured_from_the_start_on():
    trials = tune(Cross, SPACE, BARS, FREE, start=START)
    opened, close = BARS.open[:, 0], BARS.close[:, 0]
    for trial in trials.items:
        own = in_out(close, *trial.params.values(), first=FIRST)
        equity = by_hand(opened, close, own)[FIRST:]
        before = np.r_[100_000.0, equity[:-1]]
        np.testing.assert_allclose(trial.outcome.returns, equity / before - 1.0, atol=1e-12)
        run = backtest(Cross(**trial.params), BARS, FREE, start=START)
        assert trial.outcome.figures["final_equity"] == run.final_equity
    assert trials.clock[0] == BARS.ts[FIRST]
    assert len(trials.clock) == 90


def test_a_start_tells_trials_apart_and_the_first_bar_is_no_start():
    given = {"factory": Cross, "bars": BARS}
    point = {"fast": 2, "slow": 6}
    whole = Bench(**given)
    keys = {
        Bench(**given, first=first, begin=begin).key(point)
        for first, begin in ((0, None), (FIRST, 0), (FIRST + 1, 0), (FIRST, FIRST))
    }
    assert len(keys) == 4
    assert Bench(**given, begin=0).key(point) == whole.key(point)
    assert Bench(**given, first=FIRST, begin=FIRST - 5).key(point) == (
        Bench(**given, first=FIRST).key(point)
    ), "a warm-up of five"
    plain = tune(Cross, SPACE, BARS, FREE)
    assert tune(Cross, SPACE, BARS, FREE, start=BARS.ts[0]).hash() == plain.hash()
    assert tune(Cross, SPACE, BARS, FREE, start=START).hash() != plain.hash()
    with pytest.raises(ConfigError, match="not before row 70"):
        Bench(**given, first=FIRST, begin=70)


def test_windows_of_a_walk_forward_begin_at_the_start():
    """The first training window is warmed up by the bars before the start."""
    spans = spans_of(WalkForward(40, 20, expanding=True, last="short"), BARS, start=START)
    assert spans == (
        Span(60, 100, 100, 120),
        Span(60, 120, 120, 140),
        Span(60, 140, 140, 150),
    )
    walked = walk_forward(Cross, SPACE, BARS, spans, FREE)
    assert walked.frame()["train_start"].tolist() == [pd.Timestamp(START)] * 3
    first = walked.windows[0]
    trial = first.trials.items[-1]
    own = in_out(BARS.close[:, 0], 4, 40, first=FIRST)[:100]
    equity = by_hand(BARS.open[:100, 0], BARS.close[:100, 0], own)[FIRST:]
    before = np.r_[100_000.0, equity[:-1]]
    assert trial.params == {"fast": 4, "slow": 40}
    np.testing.assert_allclose(trial.outcome.returns, equity / before - 1.0, atol=1e-12)
    assert len(np.unique(trial.outcome.returns)) > 10, "it trades before it could be warm by then"


def test_studies_of_a_run_begin_where_the_run_begins():
    strategy, given = Cross(), {"start": START, "initial_capital": 100_000.0}
    run = backtest(strategy, BARS, FREE, **given)
    audit = fill_audit(strategy, BARS, FREE, **given).frame()
    assert audit.loc["total_return", "default"] == run.total_return
    surface = cost_surface(
        strategy, BARS, FREE, fees=(1.0,), slippages=(1.0,), delays=(0,), **given
    )
    assert surface.frame["total_return"].tolist() == [run.total_return]
    held = capacity(strategy, BARS, FREE, smallest=1e5, largest=1e6, start=START)
    assert held.frame["total_return"].iloc[0] == run.total_return
    noise = price_noise(strategy, BARS, FREE, n_paths=3, **given)
    assert noise.observed["total_return"] == run.total_return
    assert noise.points[-1] == run.n_bars == len(noise.fan())


def test_two_runs_of_one_start_do_not_differ_in_it():
    def spec(start, **changes):
        return RunSpec(
            strategy=Cross(**changes), bars=BARS, execution=FREE, arguments={"start": start}
        )

    again = pd.Timestamp(BARS.ts[FIRST], tz="UTC").to_pydatetime()
    table = compare_runs(spec(START), spec(again, slow=20))
    assert table["part"].tolist() == ["strategy.slow"]
    later = pd.Timestamp(BARS.ts[FIRST + 9], tz="UTC").to_pydatetime()
    moved = compare_runs(spec(START), spec(later))
    assert moved["part"].tolist() == ["arguments.start"]
    ends = [backtest(Cross(), BARS, FREE, start=start).total_return for start in (START, later)]
    assert moved["step"].iloc[0] == pytest.approx(ends[1] - ends[0], rel=1e-12)
