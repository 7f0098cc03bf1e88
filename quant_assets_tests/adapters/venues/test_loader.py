"""Packaged and user venues: found, checked, and refused with file and line."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from quant_assets.adapters.providers.base import provider_for
from quant_assets.adapters.venues.loader import load_venues, packaged_folder
from quant_assets.core.errors import ConfigError
from quant_assets.core.venues import Venue
from quant_assets.core.windows import Grid
from quant_assets.core.yaml_loader import load_yaml
from quant_assets_tests.fixtures.venue_files import write_venue

PACKAGED = [
    *("binance_spot", "binance_usdm", "bybit_linear", "fx_spot", "okx_swap"),
    *("simulated_perps", "sp500_demo", "sp500_tournament", "us_equities_lean", "us_equities_yahoo"),
]
SPAN = {"first": "2024-01-01", "last": "2024-03-31"}


def messages(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_venues(folder)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_load_venues_packaged_ones_are_sorted_and_complete() -> None:
    venues = load_venues(None)
    assert list(venues) == PACKAGED
    for name, venue in venues.items():
        assert venue.name == name
        assert provider_for(venue).name == venue.provider.name


def test_load_venues_sp500_demo_says_what_its_reports_must_show() -> None:
    venue = load_venues(None)["sp500_demo"]
    assert venue.training_windows == 12
    assert (str(venue.history.first), str(venue.history.last)) == ("1990-01-02", "2022-12-28")
    assert [stamp.split(":")[0] for stamp in venue.stamps()] == [
        "CLOSES ONLY", "SURVIVORS ONLY", "PRICES ADJUSTED",
    ]  # fmt: skip
    simulation = venue.simulation
    assert (simulation.initial_equity, simulation.cash_rate) == (1_000_000, 0)
    assert (simulation.fee_bps, simulation.slippage_bps, simulation.fill) == (1, 5, "next_close")
    assert (venue.optimization.max_weight, venue.optimization.max_turnover) == (0.20, 1.0)


def test_load_venues_simulated_perps_is_stamped_and_feasible() -> None:
    venue = load_venues(None)["simulated_perps"]
    assert venue.stamps()[0].startswith("SIMULATED")
    listed = [a for a in venue.provider.settings["assets"] if not ({"first", "last"} & set(a))]
    assert (len(listed) + 1) * venue.optimization.max_weight >= venue.optimization.budget
    assert venue.training_windows is not None
    bars = venue.training_windows * 29 * 288
    assert bars >= 13 * venue.alpha.month_bars + venue.alpha.label_horizon_bars
    assert bars >= venue.discovery.min_history_bars


@pytest.mark.slow
def test_simulated_perps_liquidity_rule_keeps_the_perpetuals_alone() -> None:
    venue = load_venues(None)["simulated_perps"]
    provider, grid = provider_for(venue), Grid()
    for key in grid.between("2024-01-01", "2024-08-01"):
        bars = provider.fetch("bars", grid.window(key))
        traded = (bars["close"] * bars["volume"]).groupby(bars["symbol"]).median()
        liquid = traded[traded >= venue.discovery.min_dollar_volume].index
        assert sorted(liquid) == sorted(s for s in traded.index if s.endswith(":USDT"))


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys_of(field.annotation, f"{prefix}{name}.")


def test_sp500_demo_shows_every_key_that_a_venue_may_have() -> None:
    located = load_yaml(packaged_folder() / "sp500_demo.yaml")
    written = {".".join(map(str, keys)) for keys in located.lines}
    assert sorted(set(keys_of(Venue)) - written) == []


@pytest.mark.parametrize(
    "section", ["discovery", "synthesis", "optimization", "simulation", "reporting"]
)
def test_sp500_demo_values_are_the_defaults_but_for_the_fill(section: str) -> None:
    venue = load_venues(None)["sp500_demo"]
    written: dict[str, Any] = getattr(venue, section).model_dump()
    defaults = Venue.model_fields[section].default.model_dump()
    changed = {key for key in written if written[key] != defaults[key]}
    assert changed == ({"fill"} if section == "simulation" else set())


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged_file_copied_and_renamed_is_a_venue(tmp_path: Path, name: str) -> None:
    path = tmp_path / "mine.yml"
    shutil.copy(packaged_folder() / f"{name}.yaml", path)
    edit(path, f"name: {name}", "name: mine")
    venues = load_venues(tmp_path)
    assert list(venues) == sorted(["mine", *PACKAGED])
    assert venues["mine"].market == venues[name].market


def test_load_venues_reads_both_suffixes_and_ignores_the_rest(tmp_path: Path) -> None:
    write_venue(tmp_path, "beta", **SPAN)
    write_venue(tmp_path, "alpha", **SPAN).rename(tmp_path / "alpha.yml")
    (tmp_path / "notes.txt").write_text("not: [a venue")
    assert list(load_venues(tmp_path)) == sorted(["alpha", "beta", *PACKAGED])


def test_load_venues_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"venues_folder .*nowhere is not a folder"):
        load_venues(tmp_path / "nowhere")


def test_load_venues_packaged_name_is_taken(tmp_path: Path) -> None:
    write_venue(tmp_path, "sp500_demo", **SPAN)
    (line,) = messages(tmp_path)
    assert line.startswith("sp500_demo.yaml:1: name: 'sp500_demo' is taken by ")
    assert str(packaged_folder()) in line


def test_load_venues_names_that_differ_in_case_alone_are_refused(tmp_path: Path) -> None:
    write_venue(tmp_path, "Sp500_Demo", **SPAN)
    assert messages(tmp_path)[0].startswith("Sp500_Demo.yaml:1: name: 'Sp500_Demo' is taken by")


def test_load_venues_two_files_of_one_venue_are_refused(tmp_path: Path) -> None:
    shutil.copy(write_venue(tmp_path, "twice", **SPAN), tmp_path / "twice.yml")
    (line,) = messages(tmp_path)
    assert line.startswith("twice.yml:1: name: 'twice' is taken by twice.yaml")


def test_load_venues_file_named_otherwise_is_refused(tmp_path: Path) -> None:
    write_venue(tmp_path, "one", **SPAN).rename(tmp_path / "two.yaml")
    (line,) = messages(tmp_path)
    assert line == (
        "two.yaml:1: name: the venue is called 'one', its file 'two.yaml': "
        "rename one, for example the file to one.yaml"
    )


def test_load_venues_typo_gets_its_line_and_a_suggestion(tmp_path: Path) -> None:
    edit(write_venue(tmp_path, "typo", **SPAN), "bar_length", "bar_lenght")
    found = messages(tmp_path)
    assert "typo.yaml:15: market.bar_lenght: unknown key; did you mean bar_length?" in found


def test_load_venues_provider_settings_are_checked_with_their_lines(tmp_path: Path) -> None:
    edit(write_venue(tmp_path, "typo", **SPAN), "seed: 7", "sed: 7")
    assert messages(tmp_path) == [
        "typo.yaml:5: provider.settings.sed: unknown key; did you mean seed?"
    ]


def test_load_venues_unknown_provider_is_refused_with_its_line(tmp_path: Path) -> None:
    edit(write_venue(tmp_path, "typo", **SPAN), "name: simulated", "name: simulatd")
    (line,) = messages(tmp_path)
    assert line.startswith("typo.yaml:4: provider.name: no Provider named 'simulatd'")


def test_load_venues_problems_of_all_files_come_together(tmp_path: Path) -> None:
    edit(write_venue(tmp_path, "one", **SPAN), "5m", "5x")
    edit(write_venue(tmp_path, "two", **SPAN), "105120", "-3")
    (tmp_path / "zero.yaml").write_text("a: [")
    found = messages(tmp_path)
    assert found[0] == (
        "one.yaml:15: market.bar_length: '5x' is not a duration; "
        "write for example 90s, 5m, 1h or 1d (found '5x')"
    )
    assert found[1].startswith("two.yaml:16: market.bars_per_year: ")
    assert found[1].endswith("(found -3)")
    assert found[2].startswith("zero.yaml:2:1: not valid YAML")
    assert len(found) == 3
