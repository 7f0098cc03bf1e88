from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.model_selection.walk_forward import WalkForward
from quant_assets.quant.simulation.execution.runs import observed_periods_per_year
from quant_assets.quant.tuning.bench import Bench
from quant_assets.quant.tuning.out_of_sample import Span, spans_of, walk_forward
from quant_assets_tests.quant.tuning.samples import FREE, Cross, by_hand, market
from quant_assets_tests.quant.tuning.test_study import in_out

SPACE = {"fast": [2, 4], "slow": [6, 10]}


def sharpe(returns, per_year):
    return returns.mean() / returns.std(ddof=1) * np.sqrt(per_year)


def walked_by_hand(bars, spans):
    """Choices and equity of the walk-forward in plain numpy."""
    opened, close = bars.open[:, 0], bars.close[:, 0]
    wanted, chosen = np.full(len(bars), np.nan), []
    for train_first, train_last, test_first, test_last in spans:
        best = (-np.inf, None)
        for fast in SPACE["fast"]:
            for slow in SPACE["slow"]:
                own = in_out(close, fast, slow, first=train_first)[:train_last]
                equity = by_hand(opened[:train_last], close[:train_last], own)[train_first:]
                returns = np.diff(np.r_[100_000.0, equity]) / np.r_[100_000.0, equity[:-1]]
                per_year = observed_periods_per_year(bars.rows(slice(train_first, train_last)))
                value = sharpe(returns, per_year)
                best = max(best, (value, (fast, slow)), key=lambda one: one[0])
        chosen.append(best)
        wanted[test_first:test_last] = in_out(close, *best[1])[test_first:test_last]
    first = spans[0][2]
    return chosen, by_hand(opened[first:], close[first:], wanted[first:])


def test_walk_forward_is_the_one_by_hand():
    bars = market(300, seed=5)
    spans = spans_of(WalkForward(100, 40), bars)
    walked = walk_forward(Cross, SPACE, bars, spans, FREE)
    chosen, equity = walked_by_hand(bars, spans)
    assert [tuple(one.params.values()) for one in walked.windows] == [pair for _, pair in chosen]
    assert len({pair for _, pair in chosen}) > 1
    last = spans[-1].test_last - spans[0].test_first
    np.testing.assert_allclose(walked.equity["equity"], equity[:last], rtol=1e-12)

    frame = walked.frame()
    assert frame["is_metrics"].tolist() == pytest.approx([value for value, _ in chosen])
    ends = np.r_[0, np.cumsum([s.test_last - s.test_first for s in spans])]
    whole = np.r_[100_000.0, equity]
    outside = [sharpe(np.diff(whole[a : b + 1]) / whole[a:b], 365.2425) for a, b in pairwise(ends)]
    assert frame["oos_metrics"].tolist() == pytest.approx(outside)
    expected = [
        100.0 * (i - o) / i if i > 0.0 else np.nan
        for (i, _), o in zip(chosen, outside, strict=True)
    ]
    np.testing.assert_allclose(frame["degradation_pct"], expected)
    assert frame["trials"].tolist() == [4] * len(spans)


def test_frame_names_spans_by_times_with_exclusive_ends():
    bars = market(120)
    frame = walk_forward(Cross, SPACE, bars, [Span(10, 60, 62, 90)], FREE).frame()
    day = pd.Timedelta(days=1)
    start = pd.Timestamp("2020-01-01", tz="UTC")
    row = frame.iloc[0]
    assert row["train_start"] == row["window_start"] == start + 10 * day
    assert row["train_end"] == start + 60 * day
    assert row["test_start"] == start + 62 * day
    assert row["test_end"] == row["window_end"] == start + 90 * day


@pytest.mark.slow
def test_windows_one_call_at_a_time_give_the_same_account():
    bars = market(300, seed=5)
    spans = spans_of(WalkForward(100, 40), bars)
    whole = walk_forward(Cross, SPACE, bars, spans)
    carried, equity = None, []
    for span in spans:
        cut = bars.rows(slice(0, span.test_last))
        step = walk_forward(Cross, SPACE, cut, [span], carried=carried)
        carried = step.carried
        equity.append(step.equity["equity"])
    np.testing.assert_array_equal(pd.concat(equity), whole.equity["equity"])
    held = [one.result.equity["gross"].iloc[-1] > 0.0 for one in whole.windows]
    assert any(held[:-1])  # a position did go on


@pytest.mark.slow
def test_later_prices_change_no_window_before_them():
    bars = market(300, seed=5)
    spans = spans_of(WalkForward(100, 40), bars)
    noise = np.random.default_rng(0).lognormal(0.0, 0.3, (300, 1))
    noise[: spans[1].test_last] = 1.0
    columns = {name: bars[name] * noise for name in ("open", "high", "low", "close")}
    other = BarPanel.from_arrays(bars.ts, bars.symbols, bars.bar_length, **columns)
    a, b = (walk_forward(Cross, SPACE, one, spans) for one in (bars, other))
    rows = spans[1].test_last - spans[0].test_first
    np.testing.assert_array_equal(a.equity["equity"][:rows], b.equity["equity"][:rows])
    assert a.equity["equity"].iloc[-1] != b.equity["equity"].iloc[-1]
    assert a.windows[1].params == b.windows[1].params


@pytest.mark.slow
def test_flat_windows_begin_without_positions():
    bars = market(300, seed=5)
    spans = spans_of(WalkForward(100, 40), bars)
    walked = walk_forward(Cross, SPACE, bars, spans, FREE, flat=True)
    ends = [0.0, *(one.result.final_equity for one in walked.windows)]
    for one, before in zip(walked.windows[1:], ends[1:], strict=False):
        assert one.result.initial_capital == before
        assert one.result.equity["gross"].iloc[0] == 0.0


@pytest.mark.slow
def test_figures_of_a_window_do_not_depend_on_the_windows_after_it():
    bars, told = market(300, seed=5), []
    spans = spans_of(WalkForward(100, 40), bars)
    whole = walk_forward(
        Cross, SPACE, bars, spans, progress=lambda done, planned: told.append((done, planned))
    )
    short = walk_forward(Cross, SPACE, bars.rows(slice(0, 180)), spans[:2])
    pd.testing.assert_frame_equal(whole.frame().iloc[:2], short.frame())
    assert told == [(n, len(spans)) for n in range(1, len(spans) + 1)]


@pytest.mark.slow
def test_trades_of_all_windows_are_told_once():
    bars = market(300, seed=5)
    spans = spans_of(WalkForward(100, 40), bars)
    walked = walk_forward(Cross, SPACE, bars, spans)
    assert walked.trades["trade"].is_unique
    closed = walked.trades["exit_reason"] != "open"
    assert closed.sum() == walked.frame()["trades_count"].sum()
    assert walked.trades["pnl"].sum() == pytest.approx(walked.equity["equity"].iloc[-1] - 100_000.0)


@pytest.mark.parametrize(
    "spans",
    [
        [],
        [(0, 0, 10, 20)],
        [(0, 30, 20, 40)],
        [(0, 20, 20, 20)],
        [(0, 20, 20, 40), (20, 45, 45, 60)],
        [(0, 20, 20, 40), (10, 35, 35, 60)],
    ],
)
def test_spans_that_overlap_or_leave_gaps_are_refused(spans):
    with pytest.raises(ConfigError):
        walk_forward(Cross, SPACE, market(80), spans)


def test_spans_beyond_the_bars_are_refused():
    with pytest.raises(DataError, match="after the 80 bars"):
        walk_forward(Cross, SPACE, market(80), [(0, 40, 40, 81)])


def test_purge_and_embargo_shorten_the_training():
    spans = spans_of(WalkForward(50, 10, purge=3, embargo=2), market(80))
    assert spans[0] == Span(0, 45, 50, 60)
    assert spans[1] == Span(10, 55, 60, 70)


def test_a_trial_is_the_same_however_much_history_stands_around_its_rows():
    bars, point = market(400, seed=3), {"fast": 3, "slow": 8}
    funding = pd.DataFrame({"ts": pd.date_range("2020-01-01", periods=60, freq="7D", tz="UTC")})
    given = {"factory": Cross, "inputs": {"funding": funding.assign(rate=0.01)}}
    key = Bench(bars=bars, first=100, last=200, **given).key(point)
    later = bars.rows(slice(60, 260))
    assert Bench(bars=later, first=40, last=140, **given).key(point) == key
    cut = {"inputs": {"funding": given["inputs"]["funding"].iloc[12:40]}}
    assert Bench(bars=later, first=40, last=140, **{**given, **cut}).key(point) == key
    warm_up = Cross(**point).warm_up
    for row, same in ((100 - warm_up - 1, True), (100 - warm_up, False), (200, True)):
        close = bars.close.copy()
        close[row] *= 1.0005
        moved = Bench(bars=replace(bars, close=close), first=100, last=200, **given)
        assert (moved.key(point) == key) is same
