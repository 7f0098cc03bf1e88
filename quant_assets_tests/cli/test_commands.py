"""Help, exit codes and messages, without running the graph."""

import json

import pytest
from click.testing import CliRunner

from quant_assets.cli.main import cli
from quant_assets.cli.options import split_windows
from quant_assets.core.errors import ConfigError

COMMANDS = [
    "backfill", "demo", "doctor", "explain", "gc", "plan", "query", "report", "schema", "status",
    "ui", "venues", "verify",
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


@pytest.mark.parametrize("kind", ["venue", "settings"])
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
    assert set(stamps) == {"simulated_perps", "sp500_demo"}
    assert stamps["simulated_perps"][0].startswith("SIMULATED")
