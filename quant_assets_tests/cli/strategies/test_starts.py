"""`--start`: the first bar that is traded, not the first that is read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.cli.strategies.bars import Wanted, find_bars
from quant_assets.cli.strategies.listing import run_rows
from quant_assets.cli.strategies.running import Choice, prepare
from quant_assets.core.config import Settings, load_settings
from quant_assets.core.errors import DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies import load_strategy
from quant_assets_tests.cli.strategies.commands import answer, run, work_in
from quant_assets_tests.cli.strategies.files import IDEA, daily_bars, write_idea
from quant_assets_tests.quant.simulation.strategy_windows.runs import (
    bars_frame,
    market,
    walked,
    whole,
    windows_of,
)

pytestmark = pytest.mark.slow

RUN = ("idea.yaml", "--bars", "bars.csv")
START = ("--start", "2022-05-11")
ROW = 128  # of the first bar then
TRIES = ("--try", "components.risk.0.trailing_stop.pct=0.03,0.08")
DATED = IDEA + '  start_date: "2022-05-11"\n'


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with bars and a strategy; the data root is inside."""
    return work_in(tmp_path, monkeypatch)


def panel() -> BarPanel:
    return find_bars(Wanted(file=Path("bars.csv")), Settings()).panel


def in_a_notebook(text: str = IDEA):
    bars = panel()
    start = pd.Timestamp("2022-05-11", tz="UTC").to_pydatetime()
    return backtest(load_strategy(text).strategy, bars, initial_capital=50_000.0, start=start)


def test_command_notebook_and_assets_make_the_same_run(work: Path):
    record = answer("backtest", *RUN, *START)
    result = in_a_notebook()
    assert record["hashes"]["result"] == result.hash()
    assert (record["first_bar"][:10], record["n_bars"]) == ("2022-05-11", 300 - ROW)
    assert record["bars_before"] == ROW
    assert record["n_trades"] == result.n_trades > 3
    assert (
        f"{ROW} bars before 2022-05-11T00:00 warm up and are not traded" in (record["assumptions"])
    )
    write_idea(work, DATED)
    own = answer("backtest", *RUN, "--no-report")
    assert own["hashes"]["result"] == result.hash()
    assert own["hashes"]["start"] == record["hashes"]["start"]
    bars = panel()
    found = [
        one for one in walked(DATED, bars_frame(bars), windows_of(bars), facts=market())
        if len(one["equity"])
    ]  # fmt: skip
    equity = pd.read_parquet(Path(own["folder"]) / "equity.parquet")
    np.testing.assert_array_equal(whole(found, "equity")["equity"], equity["equity"])
    assert len(whole(found, "trades")) == own["n_trades"]


def test_start_is_part_of_the_name_of_a_run_where_bars_are_before_it():
    plain = answer("backtest", *RUN, "--no-report")
    names = {}
    for day in ("2021-01-01", "2022-01-03", "2022-05-11", "2022-05-12"):
        names[day] = answer("backtest", *RUN, "--no-report", "--start", day)["run_hash"]
    assert names["2021-01-01"] == names["2022-01-03"] == plain["run_hash"]
    assert len(set(names.values())) == 3
    found = answer("compare", names["2022-05-11"], names["2022-05-12"])
    assert "differs from" in found["differences"][0]
    assert "in the first bar that is traded: " in found["differences"][0]
    spans = {row["run"]: row["span"] for row in run_rows(load_settings())}
    assert spans[names["2022-05-12"]] == "2022-05-12 to 2022-10-29"


def test_cut_bars_would_be_another_run(work: Path):
    frame = daily_bars()
    frame[frame["ts"] >= pd.Timestamp("2022-05-11", tz="UTC")].to_csv(work / "cut.csv", index=False)
    cut = answer("backtest", "idea.yaml", "--bars", "cut.csv", "--no-report")
    warm = answer("backtest", *RUN, *START, "--no-report")
    assert (cut["first_bar"], cut["n_bars"]) == (warm["first_bar"], warm["n_bars"])
    assert cut["final_equity"] != warm["final_equity"]


def test_short_is_said_where_too_few_bars_are_before_the_start():
    words = ("backtest", *RUN, "--no-report", "--start")
    short = [one for one in answer(*words, "2022-01-06")["assumptions"] if "SHORT" in one]
    assert short == [
        "SHORT: 3 bars before 2022-01-06T00:00, and a warm-up of 10: nothing was decided before "
        "2022-01-13T00:00"
    ]
    assert not any("SHORT" in one for one in answer(*words, "2022-01-13")["assumptions"])


def test_sweep_finds_the_runs_that_backtest_makes_and_keeps_them_apart():
    record = answer("sweep", *RUN, *START, *TRIES)
    trials = pd.read_parquet(Path(record["folder"]) / "trials.parquet")
    for row in trials.to_dict("records"):
        pct = row["param_components.risk.0.trailing_stop.pct"]
        change = ("--set", f"components.risk.0.trailing_stop.pct={pct}")
        one = answer("backtest", *RUN, *START, *change, "--no-report")
        assert row["total_return"] == pytest.approx(one["total_return"], rel=1e-12)
    assert "2 of 2 trials were known already" in run("sweep", *RUN, *START, *TRIES).output
    assert "known already" not in run("sweep", *RUN, *TRIES).output


def test_walk_forward_begins_at_the_start():
    record = answer("walk-forward", *RUN, *START, *TRIES, "--train", "80", "--test", "40")
    windows = pd.read_parquet(Path(record["folder"]) / "walk_forward.parquet")
    ts = panel().ts
    firsts = [ts[ROW + 80], ts[ROW + 120], ts[ROW + 160]]
    assert windows["test_start"].tolist() == [pd.Timestamp(one, tz="UTC") for one in firsts]
    assert (record["first_bar"][:10], record["n_bars"]) == ("2022-05-11", 300 - ROW)


def test_studies_begin_at_the_start():
    plain = answer("backtest", *RUN, *START, "--no-report")
    audit = pd.read_parquet(Path(answer("audit", *RUN, *START)["folder"]) / "audit.parquet")
    returns = audit.set_index("execution")["total_return"]
    assert returns["default"] == plain["total_return"]
    axes = ("--fees", "1", "--slippages", "1", "--delays", "0")
    folder = Path(answer("costs", *RUN, *START, *axes)["folder"])
    surface = pd.read_parquet(folder / "cost_surface.parquet")
    assert surface["total_return"].tolist() == [plain["total_return"]]
    noisy = ("--paths", "20", "--noisy-runs", "3")
    folder = Path(answer("monte-carlo", *RUN, *START, *noisy)["folder"])
    drawn = pd.read_parquet(folder / "monte_carlo.parquet")
    observed = drawn[drawn["figure"] == "total_return"].set_index("kind")["observed"]
    assert observed["price_noise"] == plain["total_return"]
    assert pd.read_parquet(folder / "bands.parquet").shape[0] == min(200, 300 - ROW)
    assert run("check", *RUN, *START).exit_code == 0
    differs = answer("diff", *RUN, *START, "--to-capital", "1000")
    parts = pd.read_parquet(Path(differs["folder"]) / "diff.parquet")["part"]
    assert parts.tolist() == ["capital"]


def test_report_shows_the_prices_from_the_start_on():
    record = answer("backtest", *RUN, *START, "--benchmark", "AAA")
    page = (Path(record["folder"]) / "report.html").read_text(encoding="utf-8")
    assert "2022-05-11" in page
    assert '"2022-05-10' not in page
    assert '"2022-01-' not in page
    close = daily_bars().query("symbol == 'AAA'")["close"].to_numpy()
    assert record["benchmark_return"] == pytest.approx(close[-1] / close[ROW - 1] - 1.0)


def test_sealed_months_leave_what_is_before_them_and_after_the_start():
    held = answer("backtest", *RUN, *START, "--hold-out", "2", "--no-report")
    assert (held["first_bar"][:10], held["last_bar"][:10]) == ("2022-05-11", "2022-07-31")
    record = answer("vault", *RUN, *START, "--months", "2", "--look", "ready", code=1)
    parts = pd.read_parquet(Path(record["folder"]) / "vault.parquet").set_index("part")
    assert parts["first"].dt.strftime("%Y-%m-%d").tolist() == ["2022-05-11", "2022-08-01"]
    assert parts["n_bars"].tolist() == [82, 90]
    whole_return = (1.0 + parts["total_return"]).prod() - 1.0
    assert whole_return == pytest.approx(record["total_return"], rel=1e-12)
    assert "90 of 172 bars are sealed" in run("vault", *RUN, *START, "--months", "2").output
    with pytest.raises(DataError, match="2 sealed months begin at 2022-08-01 and leave 1 of the"):
        run("backtest", *RUN, "--start", "2022-07-31", "--hold-out", "2")


def test_symbols_that_ended_before_the_start_are_none_of_the_run(work: Path):
    frame = daily_bars()
    left = frame[(frame["symbol"] == "AAA") | (frame["ts"] < pd.Timestamp("2022-04-01", tz="UTC"))]
    left.to_csv(work / "left.csv", index=False)
    wanted = Wanted(file=work / "left.csv", start="2022-05-11")
    assert find_bars(wanted, Settings()).panel.symbols == ("AAA",)
    for more in ({"symbols": ("AAA", "BBB")}, {"members": True}):
        assert find_bars(replace(wanted, **more), Settings()).panel.symbols == ("AAA", "BBB")
    spans = pd.DataFrame({"symbol": ["AAA", "BBB"], "entered": ["2022-01-03"] * 2})
    spans.assign(left=["", "2022-04-01"]).to_csv(work / "members.csv", index=False)
    record = answer(
        "backtest", "idea.yaml", "--bars", "left.csv", *START, "--universe", "members.csv"
    )
    assert record["symbols"] == ["AAA", "BBB"]
    assert not any("there are no bars of" in one for one in record["assumptions"])


def test_columns_that_the_traded_bars_do_not_know_are_not_given(work: Path):
    frame = daily_bars(40)
    begin = pd.Timestamp("2022-01-20", tz="UTC")
    frame.loc[frame["ts"] >= begin, "open"] = np.nan
    frame.to_csv(work / "closes.csv", index=False)
    found = find_bars(Wanted(file=work / "closes.csv", start="2022-01-20"), Settings())
    assert (found.panel.open == found.panel.close).all()
    assert any(note.startswith("the bars have closes alone") for note in found.notes)
    with pytest.raises(DataError, match="the bars have 1 times"):
        find_bars(Wanted(file=work / "closes.csv", start="2022-02-11"), Settings())


def test_longer_bars_begin_with_the_first_that_opens_at_the_start_or_later():
    wanted = Wanted(file=Path("bars.csv"), start="2022-05-11")
    choice = Choice("rsi2_reversion", replace(wanted, bar_length=pd.Timedelta("7D")))
    made = prepare(choice, Settings())
    first = made.found.panel.ts[made.found.first_bar]
    assert np.datetime64("2022-05-11") <= first < np.datetime64("2022-05-18")
    assert made.found.first_bar > 10
    result = made.run().result
    assert result.equity.index[0] == pd.Timestamp(first, tz="UTC")


def test_bars_that_warm_up_may_stand_further_apart(work: Path):
    """Weeks before the start, days from it on: figures are those of days, in run and trials."""
    frame = daily_bars()
    day = pd.Timestamp("2022-05-11", tz="UTC")
    first = frame["ts"].min()
    weekly = (frame["ts"] >= day) | ((frame["ts"] - first).dt.days % 7 == 0)
    frame[weekly].to_csv(work / "bars.csv", index=False)
    record = answer("sweep", *RUN, *START, *TRIES)
    trials = pd.read_parquet(Path(record["folder"]) / "trials.parquet")
    assert record["metrics"]["sharpe_ratio"] == pytest.approx(
        trials["objective_value"].max(), rel=1e-9
    )
    returns = pd.read_parquet(Path(record["folder"]) / "equity.parquet")["returns"]
    sharpe = returns.mean() / returns.std(ddof=1) * np.sqrt(365.2425)
    assert record["metrics"]["sharpe_ratio"] == pytest.approx(sharpe, rel=1e-9)


def test_members_are_counted_from_the_start_on(work: Path):
    """BBB is a member since 2022-05-01, CCC was one until 2022-03-01 and has no bars."""
    rows = ["symbol,entered,left", "AAA,2022-01-03,", "BBB,2022-05-01,"]
    rows += ["CCC,2022-01-03,2022-03-01"]
    (work / "members.csv").write_text("\n".join(rows), encoding="utf-8")
    words = ("backtest", *RUN, "--universe", "members.csv", "--no-report")
    late = " ".join(answer(*words, *START)["assumptions"])
    assert "as they were known at each decision: 2 to 2 of 2 symbols" in late
    assert "there are no bars of" not in late
    early = " ".join(answer(*words)["assumptions"])
    assert "1 to 2 of 2 symbols" in early
    assert "there are no bars of CCC" in early
