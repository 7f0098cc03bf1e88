"""Names, settings, spaces and bars, without a simulation."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from quant_assets.cli.commands.strategy import command
from quant_assets.cli.strategies.bars import Wanted, find_bars, parse_symbols
from quant_assets.cli.strategies.comparing import differences
from quant_assets.cli.strategies.options import PRESET
from quant_assets.cli.strategies.searching import parse_space
from quant_assets.cli.strategies.storing import stored_runs
from quant_assets.cli.strategies.targets import find_target, parse_settings
from quant_assets.core.config import Settings
from quant_assets.core.errors import ConfigError, DataError, PluginError
from quant_assets.quant.simulation.execution.model import PRESETS
from quant_assets_tests.cli.strategies.files import IDEA, daily_bars, write_bars, write_idea

COMMANDS = [
    "audit", "backtest", "capacity", "check", "compare", "costs", "diff", "list", "monte-carlo",
    "new", "report", "sweep", "vault", "walk-forward",
]  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_has_an_example_of_it(name: str):
    text = CliRunner().invoke(command, [name, "--help"]).output
    assert f"quant-assets strategy {name}" in text.split("Examples:")[1]


def test_group_lists_its_commands():
    assert sorted(command.commands) == COMMANDS


def test_presets_that_can_be_chosen_are_those_that_there_are():
    assert set(PRESET.choices) == set(PRESETS)


def test_settings_are_read_as_yaml_values():
    assert parse_settings(["fast=20", "k=2.5", "sides=both", "on=true", "a.b=[1, 2]"]) == {
        "fast": 20, "k": 2.5, "sides": "both", "on": True, "a.b": [1, 2],
    }  # fmt: skip
    with pytest.raises(ConfigError, match="write KEY=VALUE"):
        parse_settings(["fast"])


def test_space_of_lists_and_of_intervals():
    assert parse_space(["fast=5,10", "k=1:3:0.5", "sides=long,both", "x=0.1:0.2"]) == {
        "fast": [5, 10],
        "k": {"low": 1, "high": 3, "step": 0.5},
        "sides": ["long", "both"],
        "x": {"low": 0.1, "high": 0.2},
    }
    with pytest.raises(ConfigError, match="--try"):
        parse_space(["fast"])
    with pytest.raises(ConfigError, match="nothing to try"):
        parse_space([])


def test_library_strategy_takes_parameters_and_a_mistyped_name_gets_a_hint():
    target = find_target("rsi2_reversion", changed={"entry": 20.0})
    assert (target.strategy.entry, target.source) == (20.0, "library classic")
    with pytest.raises(PluginError, match="did you mean 'rsi2_reversion'"):
        find_target("rsi2_reverson")


@pytest.mark.slow
def test_yaml_strategy_is_changed_by_paths(tmp_path: Path):
    path = write_idea(tmp_path)
    plain = find_target(str(path))
    same = find_target(str(path), changed={"components.risk.0.trailing_stop.pct": 0.05})
    other = find_target(str(path), changed={"components.risk.0.trailing_stop.pct": 0.1})
    assert plain.param_hash == same.param_hash != other.param_hash
    assert plain.strategy_hash == same.strategy_hash
    assert "pct: 0.1" in other.parameters
    assert other.loaded is not None
    assert other.loaded.settings.backtest.initial_capital == 50_000.0


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("components.risk.7.x", "1 entries"),
        ("components.rsk.0", "no 'rsk'; there are"),
        ("strategy.x", "has no parts"),
    ],
)
def test_yaml_path_that_leads_nowhere_says_what_there_is(tmp_path: Path, key: str, said: str):
    with pytest.raises(ConfigError, match=said):
        find_target(str(write_idea(tmp_path)), changed={key: 1})


def test_yaml_problems_are_told_with_the_files_own_lines(tmp_path: Path):
    path = write_idea(tmp_path, IDEA.replace("fast: 3, slow: 10", "fsat: 3, slow: 10", 1))
    with pytest.raises(ConfigError, match=r"idea\.yaml:8: .*fsat"):
        find_target(str(path), changed={"components.sizing.params.fraction": 0.2})


def test_strategy_of_a_folder_is_found_by_its_name(tmp_path: Path):
    write_idea(tmp_path)
    assert find_target("idea", folder=tmp_path).strategy.version == "1.2.0"


def test_python_file_gives_its_class_with_parameters(tmp_path: Path):
    from quant_assets.quant.strategies.template import strategy_template

    path = tmp_path / "shiny_thing.py"
    path.write_text(strategy_template("shiny_thing")["shiny_thing.py"], encoding="utf-8")
    target = find_target(str(path), changed={"fast": 7})
    assert (target.strategy.name, target.strategy.fast) == ("shiny_thing", 7)
    (tmp_path / "none_in_here.py").write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="one strategy class"):
        find_target(str(tmp_path / "none_in_here.py"))


def wanted(path: Path, **more: object) -> Wanted:
    return Wanted(file=path, **more)


@pytest.mark.parametrize("name", ["bars.csv", "bars.parquet"])
def test_bars_of_a_file_are_the_numbers_of_the_file(tmp_path: Path, name: str):
    found = find_bars(wanted(write_bars(tmp_path, name, n=20)), Settings())
    frame = daily_bars(20)
    assert (found.panel.symbols, found.panel.bar_length) == (("AAA", "BBB"), timedelta(days=1))
    for field in ("open", "high", "low", "close", "volume"):
        wide = frame.pivot_table(index="ts", columns="symbol", values=field)
        np.testing.assert_allclose(found.panel[field], wide.to_numpy(), rtol=1e-12)


def test_bars_are_narrowed_by_symbols_and_days(tmp_path: Path):
    path = write_bars(tmp_path, n=20)
    found = find_bars(
        wanted(path, symbols=("BBB",), start="2022-01-05", end="2022-01-08"), Settings()
    )
    assert found.panel.symbols == ("BBB",)
    assert found.panel.ts.astype("datetime64[D]").astype(str).tolist() == [
        f"2022-01-0{day}" for day in range(3, 9)
    ]
    assert (found.first_bar, found.inputs) == (2, {"start": datetime(2022, 1, 5, tzinfo=UTC)})
    assert found.notes == ("2 bars before 2022-01-05T00:00 warm up and are not traded",)
    with pytest.raises(DataError, match="has no CCC; it has AAA, BBB"):
        find_bars(wanted(path, symbols=("CCC",)), Settings())
    with pytest.raises(DataError, match="has no bars from"):
        find_bars(wanted(path, start="2030-01-01"), Settings())


@pytest.mark.slow
def test_longer_bars_are_made_and_shorter_ones_refused(tmp_path: Path):
    path = write_bars(tmp_path, n=21)
    found = find_bars(wanted(path, bar_length=timedelta(days=7)), Settings())
    frame = daily_bars(21)
    first = frame[(frame["symbol"] == "AAA")].iloc[:7]  # 2022-01-03 is a Monday
    assert found.panel.open[0, 0] == pytest.approx(first["open"].iloc[0])
    assert found.panel.high[0, 0] == pytest.approx(first["high"].max())
    assert found.panel.volume[0, 0] == pytest.approx(7e6)
    assert "bars of 7d made of bars of 1d" in found.notes
    with pytest.raises(DataError, match="not the other way round"):
        find_bars(wanted(path, bar_length=timedelta(hours=1)), Settings())


def test_closes_alone_are_said_and_stand_for_the_other_prices(tmp_path: Path):
    path = tmp_path / "closes.csv"
    daily_bars(5)[["ts", "symbol", "close"]].to_csv(path, index=False)
    found = find_bars(wanted(path), Settings())
    assert (found.panel.open == found.panel.close).all()
    assert np.isnan(found.panel.volume).all()
    assert sum("closes alone" in note for note in found.notes) == 1


def test_digest_of_bars_changes_with_one_value(tmp_path: Path):
    one = find_bars(wanted(write_bars(tmp_path, n=20)), Settings())
    again = find_bars(wanted(write_bars(tmp_path, "again.csv", n=20)), Settings())
    frame = daily_bars(20)
    frame.loc[7, "volume"] += 1.0
    frame.to_csv(tmp_path / "other.csv", index=False)
    other = find_bars(wanted(tmp_path / "other.csv"), Settings())
    assert one.digest == again.digest != other.digest


def test_bars_must_be_named_and_venues_known():
    with pytest.raises(ConfigError, match="--venue NAME, or --bars FILE"):
        find_bars(Wanted(), Settings())
    with pytest.raises(ConfigError, match="no venue 'nowhere': give --venue"):
        find_bars(Wanted(venue="nowhere"), Settings())
    assert parse_symbols(" A, B,") == ("A", "B")


def test_a_damaged_record_is_named_with_what_to_do(tmp_path: Path):
    (tmp_path / "idea" / "0123").mkdir(parents=True)
    (tmp_path / "idea" / "0123" / "run.json").write_text("{")
    with pytest.raises(DataError, match=r"0123/run\.json is damaged .*; remove its folder"):
        stored_runs(tmp_path)


def test_differences_name_what_went_in_and_whether_it_mattered():
    hashes = dict.fromkeys(("strategy", "parameters", "bars", "execution", "capital"), "x")
    one = {"run_hash": "1" * 16, "hashes": {**hashes, "result": "r"}}
    two = {"run_hash": "2" * 16, "hashes": {**hashes, "execution": "y", "result": "s"}}
    three = {"run_hash": "3" * 16, "hashes": {**hashes, "capital": "y", "result": "r"}}
    assert differences([one, two, three]) == [
        "22222222 differs from 11111111 in fills and costs: another result",
        "33333333 differs from 11111111 in capital: the same trades and equity",
    ]
