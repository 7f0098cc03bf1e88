"""Figures of a run against numbers that are worked out here."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.risk.take_profit import TakeProfit
from quant_assets.quant.strategies.builder import StrategyBuilder
from quant_assets.quant.strategies.rules import MaCrossDown, MaCrossUp
from quant_assets.reporting.strategy import charts, evidence_charts, price_chart
from quant_assets.reporting.strategy.price_chart import (
    MOST_CANDLES,
    bars_per_candle,
    indicator_lines,
    lines_of,
    price_figure,
    price_like,
    short_name,
    shown_symbols,
)
from quant_assets.reporting.strategy.stops import order_lines, stop_paths, target_paths
from quant_assets.reporting.strategy.tables import (
    monte_carlo_table,
    monthly_table,
    trades_table,
)
from quant_assets.reporting.strategy.trade_figures import trade_figures
from quant_assets_tests.reporting.strategy.runs import (
    Bracketed,
    crossing,
    random_bars,
    run,
    surface,
    trials,
    walked,
)


def test_thinned_points_keep_both_ends_and_the_deepest_loss():
    at = charts.thinned(10_000)
    assert (len(at), at[0], at[-1]) == (4000, 0, 9999)
    loss = np.zeros(10_000)
    loss[5001] = -7.0
    assert charts._deepest(loss, at).min() == -7.0


def test_parameter_map_shows_the_best_of_each_pair_and_nothing_for_what_failed():
    figure = charts.parameter_figure(trials(), "sharpe")
    assert figure is not None
    (trace,) = figure["data"]
    assert (trace["x"], trace["y"]) == (["5", "10"], ["20", "30"])
    assert trace["z"] == [[0.5, None], [-1.0, 2.0]]
    assert (trace["zmin"], trace["zmax"]) == (-2.0, 2.0)


def test_one_parameter_is_a_line_and_none_is_no_figure():
    one = charts.parameter_figure(trials()[["param_fast", "objective_value"]], "sharpe")
    assert one is not None
    assert (one["data"][0]["x"], one["data"][0]["y"]) == ([5, 10], [0.5, 2.0])
    assert charts.parameter_figure(trials()[["param_same", "objective_value"]], "sharpe") is None


def test_walk_forward_bars_are_inside_and_outside():
    inside, outside = charts.walk_forward_figure(walked(), "sharpe")["data"]
    assert (inside["y"], outside["y"]) == ([2.0, 1.0], [1.0, -0.5])
    assert inside["x"] == ["2024-03-01", "2024-05-01"]


def test_names_of_lines_are_short_and_keep_the_output_where_it_says_more():
    assert short_name("Sma(n=20)(close).sma") == "Sma(n=20)"
    assert short_name("BollingerBands(n=20, k=2.0)(close).lower") == (
        "BollingerBands(n=20, k=2.0) lower"
    )
    assert short_name("regime.code") == "regime.code"


@pytest.fixture(scope="module")
def result():
    return run()


@pytest.mark.slow
def test_lines_that_are_prices_stand_at_the_price_and_oscillators_below(result):
    bars = result.preparation.bars
    found = indicator_lines(crossing(), bars)
    prices = price_like(crossing(), bars)
    assert {name.split("(")[0] for name in prices} == {"Sma"}
    lines = lines_of(found, prices, 0, bars.close[:, 0])
    assert sorted(lines.near) == ["Sma(n=12)", "Sma(n=3)"]
    assert [name.split("(")[0] for name in lines.apart] == ["Rsi"]


@pytest.mark.slow
def test_trailing_stop_that_is_drawn_is_the_price_at_which_the_kernel_sold(result):
    """Free fills: a stop that was not jumped over fills exactly at its level."""
    bars, trades = result.preparation.bars, result.trades
    ended = trades[(trades["exit_reason"] == "trailing_stop") & ~trades["spans_gap"]]
    assert len(ended) > 10
    assert set(ended["direction"]) == {"long", "short"}
    for column, symbol in enumerate(bars.symbols):
        mine = ended[ended["symbol"] == symbol]
        paths = list(stop_paths(result, mine, column))
        assert len(paths) == len(mine)
        for (rows, levels), trade in zip(paths, mine.itertuples(), strict=True):
            opened = bars.open[rows[-1], column]
            side = 1.0 if trade.direction == "long" else -1.0
            jumped = side * opened < side * levels[-1]
            expected = opened if jumped else levels[-1]
            assert trade.exit_price == pytest.approx(expected, rel=1e-12)


@pytest.mark.slow
def test_stop_line_holds_each_level_until_it_moves(result):
    """Drawn in steps, its few points are the levels of every bar."""
    figure = price_figure(result, "AAA", "USD", {})
    (stop,) = [trace for trace in figure["data"] if trace["name"] == "stop"]
    assert stop["line"]["shape"] == "hv"
    ts = pd.DatetimeIndex(result.preparation.bars.ts)
    mine = result.trades[result.trades["symbol"] == "AAA"]
    paths = list(stop_paths(result, mine, 0))
    ends = [at for at, value in enumerate(stop["x"]) if value is None]
    assert len(ends) == len(paths)
    begin = 0
    for end, (rows, levels) in zip(ends, paths, strict=True):
        x = pd.DatetimeIndex(stop["x"][begin:end])
        drawn = pd.Series(stop["y"][begin:end], index=x).reindex(ts[rows]).ffill()
        np.testing.assert_allclose(drawn, levels, rtol=1e-5)
        begin = end + 1


@pytest.mark.slow
def test_newest_trades_are_drawn_where_there_are_very_many(result, monkeypatch):
    monkeypatch.setattr(price_chart, "MOST_DRAWN", 5)
    figure = price_figure(result, "AAA", "USD", {})
    by_name = {trace["name"]: trace for trace in figure["data"]}
    mine = result.trades[result.trades["symbol"] == "AAA"]
    newest = mine["entry_ts"].tail(5).dt.strftime("%Y-%m-%d")
    entries = [by_name[name]["x"] for name in ("long entry", "short entry") if name in by_name]
    assert sorted(x for part in entries for x in part) == sorted(newest)


@pytest.mark.slow
def test_price_figure_has_every_trade_of_the_symbol_and_no_other(result):
    bars = result.preparation.bars
    figure = price_figure(result, "BBB", "USD", indicator_lines(crossing(), bars))
    by_name = {trace["name"]: trace for trace in figure["data"]}
    mine = result.trades[result.trades["symbol"] == "BBB"]
    entries = len(by_name["long entry"]["x"]) + len(by_name["short entry"]["x"])
    assert entries == len(mine)
    assert len(by_name["exit"]["x"]) == mine["exit_ts"].notna().sum()
    candles = by_name["price"]
    assert candles["type"] == "candlestick"
    assert len(candles["x"]) == np.isfinite(bars.close[:, 1]).sum() == 254
    assert "stop" in by_name


@pytest.mark.slow
def test_candles_of_many_bars_keep_highest_and_lowest(result):
    many = random_bars(("ONE",), n=MOST_CANDLES + 500)
    long = run(bars=many)
    assert bars_per_candle(long, "ONE") == 2
    (candles,) = [t for t in price_figure(long, "ONE", "", {})["data"] if t["name"] == "price"]
    pairs = many.high[:, 0].reshape(-1, 2)
    np.testing.assert_allclose(candles["high"], pairs.max(axis=1), rtol=1e-5)
    np.testing.assert_allclose(candles["open"], many.open[::2, 0], rtol=1e-5)
    np.testing.assert_allclose(candles["close"], many.close[1::2, 0], rtol=1e-5)


@pytest.mark.slow
def test_equity_figure_has_the_equity_and_the_loss_from_its_peak(result):
    figure = charts.equity_figure(result.equity, None, "USD")
    curve, loss = figure["data"]
    np.testing.assert_allclose(curve["y"], result.equity["equity"], rtol=1e-5)
    values = result.equity["equity"].to_numpy()
    peaks = np.maximum.accumulate(np.maximum(values, result.initial_capital))
    np.testing.assert_allclose(loss["y"], 100.0 * (values / peaks - 1.0), atol=1e-4)


@pytest.mark.slow
def test_costs_step_down_to_the_change_of_equity(result):
    (trace,) = charts.cost_figure(result.costs, "USD")["data"]
    assert trace["measure"][-1] == "total"
    change = result.final_equity - result.initial_capital
    assert sum(trace["y"][:-1]) == pytest.approx(change, rel=1e-4)
    assert trace["y"][-1] == pytest.approx(change, rel=1e-4)


@pytest.mark.slow
def test_trade_figures_are_those_of_the_trades(result):
    trades, figures = result.trades, trade_figures(result)
    assert figures["win_rate"] == (trades["pnl"] > 0).sum() / len(trades)
    assert figures["gap_profit"] == trades.loc[trades["spans_gap"], "pnl"].sum()
    assert figures["gap_trades"] == trades["spans_gap"].sum() > 0
    held = np.zeros(result.n_bars, dtype=bool)
    ts = result.equity.index
    for trade in trades.itertuples():
        last = len(ts) if pd.isna(trade.exit_ts) else ts.get_loc(trade.exit_ts)
        held[ts.get_loc(trade.entry_ts) : last] = True
    assert figures["exposure"] == pytest.approx(held.mean())


@pytest.mark.slow
def test_trades_table_has_a_row_per_trade_that_sorts_by_full_numbers(result):
    table = trades_table(result.trades)
    assert [row.cells[10].sort for row in table.rows] == result.trades["pnl"].tolist()
    assert [row.cells[1].text for row in table.rows] == result.trades["symbol"].tolist()
    assert table.columns[-1].title == "Gap"  # no regime is known: no column of it
    assert {row.cells[-1].text for row in table.rows} == {"", "yes"}


@pytest.mark.slow
def test_months_compound_to_the_total_return(result):
    returns = result.equity["returns"].to_numpy()
    table = monthly_table(returns, pd.DatetimeIndex(result.equity.index))
    (row,) = table.rows
    assert row.cells[0].text == "2024"
    assert row.cells[-1].text == f"{100 * result.total_return:.1f}".replace("-", "−")


@pytest.mark.slow
def test_symbols_that_are_shown_moved_most(result):
    moved = result.trades.groupby("symbol")["pnl"].apply(lambda pnl: pnl.abs().sum())
    assert shown_symbols(result)[0] == moved.idxmax()


@pytest.fixture(scope="module")
def bracketed():
    return run(Bracketed(), random_bars(n=200))


@pytest.mark.slow
def test_lines_of_brackets_stand_from_the_entry_to_the_fill_at_their_price(bracketed):
    lines = order_lines(bracketed, "AAA")
    trades = bracketed.trades[bracketed.trades["symbol"] == "AAA"]
    assert (lines["what"] == "stop").sum() == (lines["what"] == "target").sum() == len(trades)
    ended = trades[trades["exit_reason"].isin(["stop_loss", "take_profit"])]
    assert {"stop_loss", "take_profit"} == set(ended["exit_reason"])
    bars = bracketed.preparation.bars
    for trade in ended.itertuples():
        what = "stop" if trade.exit_reason == "stop_loss" else "target"
        mine = lines[(lines["what"] == what) & (lines["first"] == trade.entry_ts)]
        (line,) = mine.itertuples()
        assert line.last == trade.exit_ts
        row = int(np.searchsorted(bars.ts, trade.exit_ts.tz_localize(None).to_datetime64()))
        opened, entered = bars.open[row, 0], trade.entry_ts == trade.exit_ts
        side = -1.0 if what == "stop" else 1.0
        jumped = not entered and side * opened > side * line.price
        assert trade.exit_price == pytest.approx(opened if jumped else line.price, rel=1e-12)


@pytest.mark.slow
def test_trailing_order_is_drawn_where_it_ended_from_its_best_price_on(bracketed):
    orders = bracketed.orders
    trails = orders[(orders["kind"] == "trailing_stop") & orders["stop"].notna()]
    assert len(trails) > 3
    lines = order_lines(bracketed, "AAA")
    bars = bracketed.preparation.bars
    ts = pd.DatetimeIndex(bars.ts, tz="UTC")
    drawn = lines[lines["what"] == "stop order"]
    for trail, line in zip(trails.itertuples(), drawn.itertuples(), strict=True):
        ended = ts[-1] if pd.isna(trail.finished_ts) else trail.finished_ts
        first, last = ts.get_loc(trail.decided_ts), ts.get_loc(ended)
        assert (line.price, line.last) == (trail.stop, ended)
        best = bars.high[ts.get_loc(line.first) - 1, 0]
        if line.first > ts[first + 1]:
            assert line.price == pytest.approx(0.95 * best, rel=1e-9)
            assert best == bars.high[first:last, 0].max()


@pytest.mark.slow
def test_target_of_a_rule_is_the_price_at_which_the_kernel_took_profit():
    strategy = (
        StrategyBuilder("taking")
        .with_signals(entry_long=MaCrossUp(fast=3, slow=12), exit_long=MaCrossDown(fast=3, slow=12))
        .with_risk(TakeProfit(pct=0.03))
        .build()
    )
    result = run(strategy)
    bars = result.preparation.bars
    taken = result.trades[
        (result.trades["exit_reason"] == "take_profit") & ~result.trades["spans_gap"]
    ]
    assert len(taken) > 3
    for column, symbol in enumerate(bars.symbols):
        mine = taken[taken["symbol"] == symbol]
        paths = list(target_paths(result, mine, column))
        for (rows, levels), trade in zip(paths, mine.itertuples(), strict=True):
            assert (levels == levels[0]).all()
            opened = bars.open[rows[-1], column]
            expected = max(opened, levels[-1]) if len(rows) > 1 else levels[-1]
            assert trade.exit_price == pytest.approx(expected, rel=1e-12)


@pytest.mark.slow
def test_price_figure_draws_orders_of_the_strategy(bracketed):
    names = {trace["name"] for trace in price_figure(bracketed, "AAA", "USD", {})["data"]}
    assert {"stop", "target", "limit order", "stop order"} <= names


def test_figures_of_resampled_runs_have_their_own_forms():
    names = ["total_return", "sharpe", "losing_run", "n_trades"]
    frame = pd.DataFrame({"kind": "price_noise", "figure": names})
    values = {"observed": [0.1, 1.5, 4.0, 373.0], "lower": [-0.2, 0.5, 2.0, 351.35]}
    table = monte_carlo_table(frame.assign(**values, median=0.0, upper=0.0))
    assert [row.cells[2].text for row in table.rows] == ["10.0%", "1.50", "4", "373"]
    assert [row.cells[3].text for row in table.rows] == ["−20.0%", "0.50", "2", "351.4"]


def test_survival_map_has_a_panel_for_each_delay():
    first, second = evidence_charts.survival_figure(surface())["data"]
    assert (first["x"], first["y"]) == (["1 x", "4 x"], ["0 x", "2 x"])
    np.testing.assert_allclose(first["z"], [[40.0, 20.0], [0.0, -20.0]], atol=1e-9)
    np.testing.assert_allclose(second["z"], [[30.0, 10.0], [-10.0, -30.0]], atol=1e-9)
    assert (first["zmin"], first["zmax"]) == (-40.0, 40.0)
    assert second["text"][1] == ["−10%", "−30%"]


def test_walked_figure_compares_with_the_given_parameters_from_the_same_start():
    ts = pd.date_range("2024-01-01", periods=6, tz="UTC")
    given = pd.Series([50.0, 100.0, 110.0, 120.0, 90.0, 80.0], index=ts)
    walk = pd.DataFrame({"equity": [200.0, 210.0, 190.0], "window": [0, 0, 1]}, index=ts[1:4])
    figure = evidence_charts.walked_figure(walk, given, "USD")
    other, own = figure["data"]
    assert own["y"] == [200.0, 210.0, 190.0]
    assert other["y"] == [200.0, 220.0, 240.0]
    assert [shape["x0"] for shape in figure["layout"]["shapes"]] == ["2024-01-02", "2024-01-04"]
