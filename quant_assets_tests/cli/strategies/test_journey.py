"""From an idea to a compared, tuned and explained run, as a user meets it."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from quant_assets import backtest
from quant_assets.cli.strategies.storing import stored_runs
from quant_assets.core.errors import ConfigError, DataError, MissingCellError
from quant_assets.quant.strategies import load_strategy
from quant_assets_tests.cli.program import python, quant_assets
from quant_assets_tests.cli.strategies.commands import answer, run, work_in
from quant_assets_tests.cli.strategies.files import IDEA, daily_bars, write_bars, write_idea

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with bars and a strategy; the data root is inside."""
    return work_in(tmp_path, monkeypatch)


def test_run_at_the_command_line_is_the_run_in_a_notebook():
    record = answer("backtest", "idea.yaml", "--bars", "bars.csv", "--no-report")
    loaded = load_strategy(Path("idea.yaml"))
    result = backtest(loaded.strategy, daily_bars(), initial_capital=50_000.0)
    assert record["hashes"]["result"] == result.hash()
    assert record["hashes"]["strategy"] == loaded.strategy_hash
    assert record["final_equity"] == result.final_equity
    assert record["n_trades"] == result.n_trades > 3


def test_backtest_keeps_tables_and_report_under_a_hash_that_is_the_same_again(work: Path):
    first = answer("backtest", "idea.yaml", "--bars", "bars.csv")
    again = answer("backtest", "idea.yaml", "--bars", "bars.csv")
    folder = Path(first["folder"])
    assert first["folder"] == again["folder"]
    assert folder == work / "data" / "reports" / "strategies" / "idea" / first["run_hash"]
    assert {path.name for path in folder.iterdir()} == {
        "run.json", "report.html", "trades.parquet", "orders.parquet", "fills.parquet",
        "equity.parquet",
    }  # fmt: skip
    equity = pd.read_parquet(folder / "equity.parquet")
    assert equity["equity"].iloc[-1] == first["final_equity"]
    trades = pd.read_parquet(folder / "trades.parquet")
    pnl = trades["pnl"].sum()
    assert pnl == pytest.approx(first["final_equity"] - 50_000.0, abs=1e-6)
    figures = first["trade_figures"]
    assert figures["win_rate"] == pytest.approx((trades["pnl"] > 0).mean())
    assert figures["profit_factor"] == pytest.approx(
        trades["pnl"].clip(lower=0).sum() / -trades["pnl"].clip(upper=0).sum()
    )


@pytest.mark.parametrize(
    "change",
    [
        ("--set", "components.sizing.params.fraction=0.3"),
        ("--execution", "pessimistic"),
        ("--capital", "1000"),
        ("--symbols", "AAA"),
        ("--start", "2022-02-01"),
    ],
)
def test_whatever_goes_in_gives_the_run_another_name(change: tuple[str, str]):
    plain = answer("backtest", "idea.yaml", "--bars", "bars.csv", "--no-report")
    other = answer("backtest", "idea.yaml", "--bars", "bars.csv", "--no-report", *change)
    assert plain["run_hash"] != other["run_hash"]


def test_table_shows_the_figures_and_where_the_report_is():
    text = run("backtest", "idea.yaml", "--bars", "bars.csv").output
    record = answer("report", "idea")
    assert f"{record['final_equity']:,.2f}" in text
    assert f"{record['metrics']['sharpe_ratio']:.2f}" in text
    assert f"run {record['run_hash']}" in text
    assert "report.html" in text


def test_new_strategy_passes_its_own_test_and_runs_in_all_three_forms(work: Path):
    assert run("new", "shiny_cross").exit_code == 0
    folder = work / "shiny_cross"
    text = (folder / "test_shiny_cross.py").read_text()
    assert "def test_" in text
    yaml = answer("backtest", "shiny_cross/shiny_cross.yaml", "--bars", "bars.csv", "--no-report")
    python = answer("backtest", "shiny_cross/shiny_cross.py", "--bars", "bars.csv", "--no-report")
    del sys.modules["shiny_cross"]
    assert yaml["strategy"] == python["strategy"] == "shiny_cross"
    assert yaml["n_trades"] > 0
    with pytest.raises(ConfigError, match="would be overwritten"):
        run("new", "shiny_cross")


def test_check_says_trusted_and_finds_a_planted_leak(work: Path):
    assert run("check", "idea.yaml", "--bars", "bars.csv").exit_code == 0
    (work / "leaky_idea.py").write_text(
        '''
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.signals import Signals


@dataclass(frozen=True, kw_only=True)
class Leaky(VectorStrategy):
    """Knows the next close."""

    name: ClassVar[str] = "leaky"

    def signals(self, bars):
        after = np.vstack([bars.close[1:], bars.close[-1:]])
        return Signals(entry_long=after > bars.close, exit_long=after < bars.close)
''',
        encoding="utf-8",
    )
    found = run("check", "leaky_idea.py", "--bars", "bars.csv")
    del sys.modules["leaky_idea"]
    assert found.exit_code == 1
    assert "leaky 1.0.0: leak" in found.output


def test_report_holds_what_earlier_commands_found_out(work: Path):
    options = ("--bars", "bars.csv", "--symbols", "AAA")
    tries = ("--try", "components.risk.0.trailing_stop.pct=0.03,0.05,0.08")
    swept = answer("sweep", "idea.yaml", *options, *tries)
    best = yaml_value(swept["parameters"], "pct")
    same = ("--set", f"components.risk.0.trailing_stop.pct={best}")
    whole = answer("report", "idea.yaml", *options, *same, "--paths", "50")
    assert whole["folder"] == swept["folder"]
    assert whole["evidence"] == ["audit", "bands", "leaks", "monte_carlo", "trials"]
    assert (whole["n_trials"], whole["trusted"]) == (3, True)
    plain = answer("backtest", "idea.yaml", *options, *same)
    assert plain["evidence"] == whole["evidence"]
    page = (Path(plain["folder"]) / "report.html").read_text(encoding="utf-8")
    assert "The leak check found no look-ahead" in page
    assert 'id="figure-parameters"' in page
    assert 'id="figure-bands"' in page
    trials = pd.read_parquet(Path(plain["folder"]) / "trials.parquet")
    assert sorted(trials["param_components.risk.0.trailing_stop.pct"]) == [0.03, 0.05, 0.08]
    chosen = trials.set_index("param_components.risk.0.trailing_stop.pct")["objective_value"]
    assert chosen.idxmax() == best


def yaml_value(text: str, key: str) -> float:
    (line,) = [line for line in text.splitlines() if line.strip(" -").startswith(f"{key}:")]
    return float(line.partition(":")[2])


def test_second_search_computes_nothing_and_another_one_counts_the_first():
    words = ("sweep", "idea.yaml", "--bars", "bars.csv", "--symbols", "AAA", "--try")
    first = run(*words, "components.risk.0.trailing_stop.pct=0.03,0.05,0.08").output
    assert "after 3 trials on these bars" in first
    assert "known already" not in first
    again = run(*words, "components.risk.0.trailing_stop.pct=0.03,0.05,0.08").output
    assert "3 of 3 trials were known already" in again
    assert "after 3 trials on these bars" in again
    other = run(*words, "components.sizing.params.fraction=0.1,0.2").output
    assert "after 5 trials on these bars" in other


def test_search_in_which_nothing_can_be_done_says_why():
    with pytest.raises(DataError, match="nix"):
        run("sweep", "rsi2_reversion", "--bars", "bars.csv", "--try", "nix=1,2")


def test_walk_forward_shows_windows_that_follow_each_other():
    record = answer(
        "walk-forward", "idea.yaml", "--bars", "bars.csv", "--symbols", "AAA",
        "--try", "components.risk.0.trailing_stop.pct=0.03,0.08", "--train", "120", "--test", "60",
    )  # fmt: skip
    windows = pd.read_parquet(Path(record["folder"]) / "walk_forward.parquet")
    assert windows["test_start"].dt.strftime("%Y-%m-%d").tolist() == [
        "2022-05-03", "2022-07-02", "2022-08-31",
    ]  # fmt: skip
    assert (windows["test_end"].iloc[:-1] == windows["test_start"].iloc[1:].to_numpy()).all()
    inside, outside = windows["in_sample"], windows["out_of_sample"]
    known = inside > 0
    expected = ((inside - outside) / inside)[known]
    pd.testing.assert_series_equal(windows["degradation"][known], expected, check_names=False)


def test_compare_puts_runs_side_by_side_and_says_what_differs():
    one = answer("backtest", "idea.yaml", "--bars", "bars.csv", "--no-report")
    two = answer("backtest", "idea.yaml", "--bars", "bars.csv", "--no-report", "--capital", "9000")
    found = answer("compare", one["run_hash"], two["run_hash"][:10])
    assert [record["initial_capital"] for record in found["runs"]] == [50_000.0, 9_000.0]
    assert found["differences"] == [
        f"{two['run_hash'][:8]} differs from {one['run_hash'][:8]} in capital: another result"
    ]
    text = run("compare", one["run_hash"], two["run_hash"]).output
    assert f"{one['final_equity']:,.2f}" in text
    assert f"{two['final_equity']:,.2f}" in text
    listed = run("list", "--runs").output
    assert one["run_hash"] in listed
    with pytest.raises(MissingCellError, match="runs are stored of idea"):
        run("compare", "unknown")


def test_file_says_dates_capital_and_length_unless_the_command_does(work: Path):
    text = IDEA.replace(
        "backtest:\n",
        'backtest:\n  start_date: "2022-03-01"\n  end_date: "2022-06-30"\n  universe: [BBB]\n',
    )
    write_idea(work, text)
    own = answer("backtest", "idea.yaml", "--bars", "bars.csv", "--no-report")
    assert (own["symbols"], own["first_bar"][:10], own["last_bar"][:10]) == (
        ["BBB"], "2022-03-01", "2022-06-30",
    )  # fmt: skip
    wide = answer("backtest", "idea.yaml", "--bars", "bars.csv", "--no-report", "--any-dates")
    assert (wide["symbols"], wide["n_bars"]) == (["AAA", "BBB"], 300)


def test_file_of_the_design_document_runs_as_it_is_written_there(work: Path):
    """15-minute bars of two weeks: its universe and dates are not those of the bars."""
    import quant_assets_tests.quant.strategies as beside

    design = Path(str(beside.__file__)).with_name("design_example.yaml")
    frame = daily_bars(1400).assign(
        ts=lambda rows: (
            pd.Timestamp("2022-01-03", tz="UTC") + (rows["ts"] - rows["ts"].min()) / 96
        )  # days become quarters of an hour
    )
    frame.to_parquet(work / "quarters.parquet", index=False)
    words = (str(design), "--bars", "quarters.parquet", "--any-dates")
    record = answer("backtest", *words)
    assert (record["strategy"], record["version"]) == ("bb_mean_reversion", "2.1.0")
    assert (record["bar_length"], record["initial_capital"]) == ("15m", 100_000.0)
    assert record["n_bars"] == 1400
    assert list(record["execution"]["commission_model"]) == ["interactive_brokers"]
    assert list(record["execution"]["fill_model"]) == ["realistic_volume"]
    checked = run("check", *words)
    assert "bb_mean_reversion 2.1.0" in checked.output


def test_killed_writer_leaves_no_run_that_is_half(work: Path):
    record = answer("backtest", "idea.yaml", "--bars", "bars.csv")
    (Path(record["folder"]) / "run.json").unlink()  # as a kill before the last rename leaves it
    assert stored_runs(work / "data" / "reports" / "strategies") == []
    again = answer("backtest", "idea.yaml", "--bars", "bars.csv")
    assert again["hashes"] == record["hashes"]


def test_backtest_loads_nothing_that_it_does_not_need(work: Path):
    words = ("strategy", "backtest", "idea.yaml", "--bars", "bars.parquet", "--no-report")
    write_bars(work, "bars.parquet")
    script = (
        "import sys; from quant_assets.cli.main import cli; "
        f"cli.main({list(words)!r}, standalone_mode=False); "
        "print(sorted({'dagster', 'duckdb', 'sklearn', 'cvxpy', 'plotly', 'matplotlib'} "
        "& set(sys.modules)))"
    )
    done = python(work / "data", "-c", script)
    assert done.code == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_backtest_of_a_named_strategy_loads_no_other_strategy_or_execution(work: Path):
    words = ("strategy", "backtest", "rsi2_reversion", "--bars", "bars.parquet", "--no-report")
    write_bars(work, "bars.parquet")
    script = (
        "import sys; from quant_assets.cli.main import cli; "
        f"cli.main({list(words)!r}, standalone_mode=False); "
        "kept = ('strategies.classic.', 'strategies.modern.', 'execution.margin.', "
        "'execution.commissions.'); "
        "print(sorted(n.partition('.quant.')[2] for n in sys.modules "
        "if any(k in n for k in kept) and not n.endswith('.base')), 'psutil' in sys.modules)"
    )
    done = python(work / "data", "-c", script)
    assert done.code == 0, done.stderr
    *_, last = done.stdout.splitlines()
    found, _, psutil = last.rpartition(" ")
    assert psutil == "False"
    assert "strategies.classic.rsi2_reversion" in found
    assert "ichimoku" not in found
    assert "dual_momentum" not in found
    assert "interactive_brokers" not in found


def test_exit_codes_of_mistakes(work: Path):
    root = work / "data"
    assert quant_assets(root, "strategy", "backtest", "rsi2_reversion").code == 2
    assert quant_assets(root, "strategy", "backtest", "no_such", "--bars", "bars.csv").code == 2
    assert quant_assets(root, "strategy", "backtest", "idea.yaml", "--bars", "none.csv").code == 3
    assert quant_assets(root, "strategy", "report", "idea").code == 3
