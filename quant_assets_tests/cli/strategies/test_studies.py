"""Costs, capacity, luck, other runs and sealed months at the command line."""

import json
from pathlib import Path

import pandas as pd
import pytest

from quant_assets.cli.strategies.bars import Wanted, find_bars
from quant_assets.cli.strategies.options import parse_numbers
from quant_assets.cli.strategies.robustness import survival_note
from quant_assets.core.config import Settings
from quant_assets.core.errors import ConfigError
from quant_assets.quant.strategies import load_strategy
from quant_assets.quant.strategies.library import make_strategy
from quant_assets.quant.tuning import capacity, cost_surface, fill_audit
from quant_assets_tests.cli.strategies.commands import answer, run, work_in

RUN = ("idea.yaml", "--bars", "bars.csv")
CAPITAL = 50_000.0


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with bars of 700 days and a strategy; the data root is inside."""
    return work_in(tmp_path, monkeypatch, n=700)


def table(record: dict, name: str) -> pd.DataFrame:
    return pd.read_parquet(Path(record["folder"]) / f"{name}.parquet")


def page(record: dict) -> str:
    return (Path(record["folder"]) / "report.html").read_text(encoding="utf-8")


def library(*symbols: str):
    """Strategy and bars as a notebook has them."""
    bars = find_bars(Wanted(file=Path("bars.csv"), symbols=symbols), Settings()).panel
    return load_strategy(Path("idea.yaml")).strategy, bars


@pytest.mark.slow
def test_costs_are_those_of_the_library_and_stand_in_the_report():
    record = answer("costs", *RUN, "--fees", "0,1,4", "--slippages", "1", "--delays", "0,2")
    strategy, bars = library()
    expected = cost_surface(
        strategy, bars, fees=(0, 1, 4), slippages=(1,), delays=(0, 2), initial_capital=CAPITAL
    ).frame
    pd.testing.assert_frame_equal(table(record, "cost_surface"), expected)
    assert record["evidence"] == ["cost_surface"]
    assert 'id="figure-survival"' in page(record)


@pytest.mark.slow
def test_audit_is_that_of_the_library():
    record = answer("audit", *RUN)
    strategy, bars = library()
    expected = fill_audit(strategy, bars, initial_capital=CAPITAL).frame().T
    found = table(record, "audit").set_index("execution")
    pd.testing.assert_frame_equal(found, expected, check_names=False)
    text = run("audit", *RUN).output
    assert all(name in text for name in ("optimistic", "default", "pessimistic"))


@pytest.mark.slow
def test_capacity_is_that_of_the_library():
    words = ("--execution", "pessimistic", "--symbols", "AAA", "--share", "0.9")
    _, bars = library("AAA")
    strategy = make_strategy("donchian_breakout")
    expected = capacity(strategy, bars, "pessimistic", share=0.9)
    record = answer("capacity", "donchian_breakout", "--bars", "bars.csv", *words)
    pd.testing.assert_frame_equal(table(record, "capacity"), expected.frame)
    assert f"Capacity: {expected.capital:,.0f}" in record["capacity_note"]
    assert 'id="figure-capacity"' in page(record)


@pytest.mark.slow
def test_monte_carlo_draws_histories_and_runs_on_noisy_prices_in_any_number_of_processes():
    words = ("monte-carlo", *RUN, "--paths", "50", "--noisy-runs", "4", "--noise", "0.2")
    record = answer(*words)
    found = table(record, "monte_carlo")
    assert set(found["kind"]) == {"block_bootstrap", "trade_order", "skipped_trades", "price_noise"}
    noisy = found[found["kind"] == "price_noise"].set_index("figure")
    assert noisy.loc["total_return", "observed"] == pytest.approx(record["total_return"])
    assert noisy.loc["total_return", "lower"] < noisy.loc["total_return", "upper"]
    again = table(answer(*words, "--workers", "2"), "monte_carlo")
    pd.testing.assert_frame_equal(found, again)


@pytest.mark.slow
def test_steps_of_a_diff_add_up_to_the_difference_of_the_two_runs():
    one = answer("backtest", *RUN, "--no-report")
    changes = ("components.risk.0.trailing_stop.pct=0.1", "pessimistic")
    other = answer("backtest", *RUN, "--no-report", "--set", changes[0], "--execution", changes[1])
    record = answer("diff", *RUN, "--to-set", changes[0], "--to-execution", changes[1])
    assert record["run_hash"] == other["run_hash"]
    steps = table(record, "diff")
    assert steps["part"].iloc[0].startswith("strategy.")
    assert steps["part"].str.startswith("execution.").sum() >= 3
    assert steps["step"].sum() == pytest.approx(other["total_return"] - one["total_return"])
    assert 'id="diff"' in page(record)


def test_diff_of_a_run_with_itself_says_what_to_give():
    with pytest.raises(ConfigError, match=r"the two runs are the same: .*--to-set KEY=VALUE"):
        run("diff", *RUN)


@pytest.mark.slow
def test_sealed_months_are_seen_by_no_command_and_each_look_is_counted():
    sealed = answer("backtest", *RUN, "--no-report", "--hold-out", "6")
    closed = answer("vault", *RUN, "--months", "6")
    assert sealed["last_bar"] < closed["sealed_from"]
    assert closed["looks"] == []
    assert sealed["n_bars"] + closed["sealed_bars"] == 700
    assert any(note.startswith("HELD OUT") for note in sealed["assumptions"])
    for number, reason in enumerate(("it is ready", "once more"), 1):
        result = run("vault", *RUN, "--months", "6", "--look", reason, "--json")
        record = json.loads(result.stdout)
        assert result.exit_code == int("does not pass" in record["vault_note"])
        assert f"Look number {number} at" in record["vault_note"]
    level = 1.0 - (1.0 - 0.05) ** (1 / 2)
    assert f"at most {level:.4f}" in record["vault_note"]
    parts = table(record, "vault").set_index("part")
    whole = (1.0 + parts["total_return"]).prod() - 1.0
    assert whole == pytest.approx(record["total_return"])
    assert parts["n_bars"].tolist() == [sealed["n_bars"], closed["sealed_bars"]]
    known = answer("vault", *RUN, "--months", "6")["looks"]
    assert [one["reason"] for one in known] == ["it is ready", "once more"]


@pytest.mark.slow
def test_walked_equity_is_kept_and_shown():
    tries = ("--try", "components.risk.0.trailing_stop.pct=0.03,0.08")
    record = answer("walk-forward", *RUN, *tries, "--train", "300", "--test", "100")
    walked = table(record, "walk_equity")
    assert len(walked) == 400
    assert walked["window"].tolist() == [n for n in range(4) for _ in range(100)]
    assert 'id="figure-walked"' in page(record)


@pytest.mark.slow
def test_benchmark_is_in_record_table_and_hash():
    plain = answer("backtest", *RUN, "--no-report", "--symbols", "AAA")
    record = answer("backtest", *RUN, "--no-report", "--symbols", "AAA", "--benchmark", "BBB")
    assert record["run_hash"] != plain["run_hash"]
    assert record["hashes"]["result"] == plain["hashes"]["result"]
    closes = find_bars(Wanted(file=Path("bars.csv"), symbols=("BBB",)), Settings()).panel.close
    grown = closes[-1, 0] / closes[0, 0] - 1.0
    assert (record["benchmark"], record["benchmark_return"]) == ("BBB", pytest.approx(grown))
    assert record["metrics"]["beta"] is not None
    text = run("backtest", *RUN, "--no-report", "--symbols", "AAA", "--benchmark", "BBB").output
    assert f"{grown:.2%}" in text
    assert "Information ratio" in text


def test_numbers_of_an_option_are_read_or_refused():
    assert parse_numbers("--fees", "0,1.5,2") == [0.0, 1.5, 2.0]
    for text in ("", "a,b", "1,-1"):
        with pytest.raises(ConfigError, match=r"--fees .*write numbers of at least 0"):
            parse_numbers("--fees", text)
    with pytest.raises(ConfigError, match="write whole numbers"):
        parse_numbers("--delays", "0.5", whole=True)


def test_survival_in_words():
    frame = pd.DataFrame(
        {"fee": [0.0, 1.0, 2.0], "slippage": 1.0, "delay": 0, "size": 1.0,
         "total_return": [0.2, 0.1, -0.1], "log_growth": [0.2, 0.1, -0.1]}
    )  # fmt: skip
    assert "nothing any more at 1.50 times its fees" in survival_note(frame)
    assert "still earns at 2 times" in survival_note(frame.assign(log_growth=0.1))
    assert "earns nothing at the smallest fees" in survival_note(frame.assign(log_growth=-0.1))
