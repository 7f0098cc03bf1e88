"""Help, exit codes and messages, without running the graph."""

import json

import pytest
from click.testing import CliRunner

from quant_assets.cli.main import cli
from quant_assets.cli.options import split_windows
from quant_assets.core.errors import ConfigError

COMMANDS = [
    "backfill", "demo", "doctor", "explain", "gc", "plan", "query", "report", "schema", "status",
    "strategy", "ui", "venues", "verify", "warmup",
]  # fmt: skip


def test_cli_lists_every_command():
    listing = CliRunner().invoke(cli, ["--help"]).output
    assert all(f"  {name} " in listing for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_help_has_an_example(name: str):
    text = CliRunner().invoke(cli, [name, "--help"]).output
    assert (
        f"quant-assets {name}" in text.split("Examples:")[1]
        or f"{name}" in text.split("Examples:")[1]
    )


def test_cli_mistyped_command_suggests_the_right_one():
    result = CliRunner().invoke(cli, ["verfy"])
    assert result.exit_code == 2
    assert "Did you mean 'verify'?" in result.output


@pytest.mark.parametrize("kind", ["venue", "strategy", "settings"])
def test_schema_is_valid_json_with_descriptions(kind: str):
    schema = json.loads(CliRunner().invoke(cli, ["schema", kind]).output)
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False


def test_split_windows_reads_spans_and_single_keys():
    assert split_windows(None) == (None, None)
    assert split_windows("1995-01-01") == ("1995-01-01", "1995-01-01")
    assert split_windows("1995-01-01...1995-03-01") == ("1995-01-01", "1995-03-01")
    with pytest.raises(ConfigError, match=r"write FIRST...LAST"):
        split_windows("1995-01-01...")


def test_venues_lists_packaged_venues_with_stamps():
    rows = json.loads(CliRunner().invoke(cli, ["venues", "--json"]).output)
    stamps = {row["venue"]: row["stamps"] for row in rows}
    assert {"binance_usdm", "simulated_perps", "sp500_demo"} <= set(stamps)
    assert stamps["simulated_perps"][0].startswith("SIMULATED")


NO_DATA = "no data yet: quant-assets ingest --venue okx_swap"


@pytest.mark.parametrize("name", ["plan", "backfill"])
def test_command_passes_a_venue_by_that_has_no_data_yet(name: str):
    result = CliRunner().invoke(cli, [name, "--venue", "okx_swap"])
    assert result.exit_code == 0
    assert result.output.strip() == f"okx_swap: {NO_DATA}"


def test_plan_of_a_venue_without_data_has_no_cells():
    result = CliRunner().invoke(cli, ["plan", "--venue", "okx_swap", "--json"])
    assert json.loads(result.output) == []


def test_status_of_a_venue_without_data_says_what_delivers():
    [row] = json.loads(CliRunner().invoke(cli, ["status", "--venue", "okx_swap", "--json"]).output)
    assert (row["missing"], row["cause"]) == (0, "no data yet")
    assert f"{row['cause']}: {row['command']}" == NO_DATA


def test_venues_shows_which_have_no_data_yet():
    listed = json.loads(CliRunner().invoke(cli, ["venues", "--json"]).output)
    rows = {row["venue"]: row for row in listed}
    assert (rows["okx_swap"]["has_data"], rows["okx_swap"]["last_data"]) == (False, None)
    assert rows["sp500_demo"]["has_data"]
    table = CliRunner().invoke(cli, ["venues"]).output
    assert sum("no data" in line for line in table.splitlines()) >= 4
