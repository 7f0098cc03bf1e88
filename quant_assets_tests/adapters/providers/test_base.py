"""What every provider owes: the contract, the window, the same bytes; and errors that name keys."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from quant_assets.adapters.providers.base import (
    CONTRACTS,
    PACKAGE,
    Provider,
    Table,
    contract_of,
    provider_for,
)
from quant_assets.adapters.providers.fetch import fetch_window
from quant_assets.adapters.stored import StoredProvider
from quant_assets.core.errors import ConfigError, PluginError
from quant_assets.core.registry import discover
from quant_assets.core.venues import Venue
from quant_assets.core.windows import Grid, Window
from quant_assets_tests.adapters.venue_models import NEEDS_DEMO, make_venue

pytestmark = pytest.mark.slow

GRID = Grid()
WINDOWS = {
    "bundled": ["1990-01-01", "2018-11-01", "2018-12-01", "2022-12-01"],
    "simulated": ["2024-01-01", "2024-02-01"],
}
DELIVERED = {
    "bundled": {"bars", "reference"},
    "simulated": set(CONTRACTS) - {"adjustments", "aliases", "depth_bands", "doubts"},
}
MARKS = {"bundled": [NEEDS_DEMO], "simulated": []}
NAMES = [pytest.param(name, marks=MARKS[name]) for name in WINDOWS]
CASES = [
    pytest.param(name, dataset, marks=MARKS[name]) for name in WINDOWS for dataset in CONTRACTS
]


def venue(name: str, *, last: str | None = None) -> Venue:
    if name == "bundled":
        reference: dict[str, str | None] = {"benchmark": "sp500_index", "risk_free": "french_rf"}
        return make_venue(name, first="1990-01-02", last=last or "2022-12-28", reference=reference)
    return make_venue(
        name, first="2024-01-01", last=last or "2024-02-20", reference={"benchmark": "BTC/USDT"}
    )


@pytest.fixture(scope="module")
def providers() -> dict[str, Provider]:
    return {name: provider_for(venue(name)) for name in WINDOWS}


def whole(windows: list[str]) -> Window:
    first, last = GRID.window(windows[0]), GRID.window(windows[-1])
    return Window(key=first.key, start=first.start, end=last.end)


def test_discovery_finds_every_provider_that_is_tested_here_or_reads_deliveries() -> None:
    found = discover(PACKAGE, Provider)  # type: ignore[type-abstract]
    stored = {name for name, provider in found.items() if issubclass(provider, StoredProvider)}
    assert stored == {"ccxt", "files", "yfinance"}
    assert sorted(set(found) - stored) == sorted(WINDOWS)


@pytest.mark.parametrize(("name", "dataset"), CASES)
def test_fetch_window_satisfies_the_contract_inside_the_window(
    providers: dict[str, Provider], name: str, dataset: str
) -> None:
    for key in WINDOWS[name]:
        window = GRID.window(key)
        frame = fetch_window(providers[name], dataset, window)  # type: ignore[arg-type]
        contract_of(dataset).check_frame(frame, where=f"{name} {dataset} {key}")
        assert frame["ts"].between(window.start, window.end, inclusive="left").all()
        assert (frame["available_at"] >= frame["ts"]).all()
        assert (len(frame) > 0) == (dataset in DELIVERED[name])


@pytest.mark.parametrize(("name", "dataset"), CASES)
def test_fetch_asked_twice_and_by_a_fresh_provider_gives_the_same(
    providers: dict[str, Provider], name: str, dataset: str
) -> None:
    fresh = provider_for(venue(name))
    for key in reversed(WINDOWS[name]):
        window = GRID.window(key)
        first = providers[name].fetch(dataset, window)  # type: ignore[arg-type]
        pd.testing.assert_frame_equal(
            first,
            providers[name].fetch(dataset, window),
            check_exact=True,  # type: ignore[arg-type]
        )
        pd.testing.assert_frame_equal(
            first,
            fresh.fetch(dataset, window),
            check_exact=True,  # type: ignore[arg-type]
        )
        digests = {p.source_digest(dataset, window) for p in (providers[name], fresh)}  # type: ignore[arg-type]
        assert len(digests) == 1


@pytest.mark.parametrize(("name", "dataset"), CASES)
def test_fetch_windows_side_by_side_are_the_whole_history(
    providers: dict[str, Provider], name: str, dataset: str
) -> None:
    keys = list(GRID.between(WINDOWS[name][0], WINDOWS[name][-1]))
    parts = [providers[name].fetch(dataset, GRID.window(key)) for key in keys]  # type: ignore[arg-type]
    everything = providers[name].fetch(dataset, whole(keys))  # type: ignore[arg-type]
    parts = [part for part in parts if len(part)] or [everything]
    joined = pd.concat(parts).reset_index(drop=True)
    pd.testing.assert_frame_equal(joined, everything, check_exact=True)


@pytest.mark.parametrize(("name", "dataset"), CASES)
def test_fetch_frames_are_the_callers_own(
    providers: dict[str, Provider], name: str, dataset: str
) -> None:
    window = GRID.window(WINDOWS[name][0])
    before = providers[name].fetch(dataset, window)  # type: ignore[arg-type]
    changed = providers[name].fetch(dataset, window)  # type: ignore[arg-type]
    changed.iloc[:, 2] = "changed"
    pd.testing.assert_frame_equal(before, providers[name].fetch(dataset, window))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_fetch_outside_the_history_is_the_empty_frame(
    providers: dict[str, Provider], name: str
) -> None:
    for key in ("1980-01-01", "2030-01-01"):
        for dataset, contract in CONTRACTS.items():
            frame = providers[name].fetch(dataset, GRID.window(key))
            pd.testing.assert_frame_equal(frame, contract.empty())


@pytest.mark.parametrize("name", NAMES)
def test_source_digest_of_a_whole_window_ignores_a_later_end(name: str) -> None:
    windows, longer_end = WINDOWS[name], {"bundled": "2022-12-20", "simulated": "2024-02-10"}
    longer, shorter = provider_for(venue(name)), provider_for(venue(name, last=longer_end[name]))
    for dataset in CONTRACTS:
        early, late = GRID.window(windows[0]), GRID.window(windows[-1])
        assert longer.source_digest(dataset, early) == shorter.source_digest(dataset, early)
        assert longer.source_digest(dataset, late) != shorter.source_digest(dataset, late)
        assert longer.source_digest(dataset, late) != longer.source_digest(dataset, early)


@NEEDS_DEMO
def test_history_cuts_the_rows() -> None:
    cut = make_venue("bundled", first="1990-01-10", last="1990-01-11")
    frame = provider_for(cut).fetch("bars", GRID.window("1990-01-01"))
    assert sorted(frame["ts"].dt.strftime("%Y-%m-%d").unique()) == ["1990-01-10", "1990-01-11"]


def test_provider_for_unknown_setting_names_venue_and_key() -> None:
    with pytest.raises(ConfigError) as caught:
        provider_for(
            make_venue("simulated", first="2024-01-01", last="2024-01-31", settings={"sed": 3})
        )
    assert str(caught.value) == (
        "venue test_simulated: provider.settings.sed: unknown key; did you mean seed?"
    )


def test_provider_for_every_bad_setting_is_reported() -> None:
    settings = {"seed": -1, "assets": [{"base": "btc", "first_price": 1, "own_volatilty": 1}]}
    with pytest.raises(ConfigError) as caught:
        provider_for(
            make_venue("simulated", first="2024-01-01", last="2024-01-31", settings=settings)
        )
    text = str(caught.value)
    assert "provider.settings.seed: Input should be greater than or equal to 0 (found -1)" in text
    assert "provider.settings.assets.0.base: String should match pattern" in text
    assert "assets.0.own_volatilty: unknown key; did you mean own_volatility?" in text


def test_provider_for_unknown_provider_lists_the_known_ones() -> None:
    base = venue("simulated")
    unknown = base.model_copy(
        update={"provider": base.provider.model_copy(update={"name": "binanse"})}
    )
    with pytest.raises(PluginError, match=r"no Provider named 'binanse'.*bundled.*simulated"):
        provider_for(unknown)


def test_contract_of_unknown_dataset_lists_the_known_ones(providers: dict[str, Provider]) -> None:
    with pytest.raises(ConfigError, match=r"'trades'; known: bars, funding, .*, reference"):
        providers["simulated"].fetch("trades", GRID.window("2024-01-01"))  # type: ignore[arg-type]


def test_table_rows_start_is_inside_end_is_not() -> None:
    ts = pd.Series(pd.date_range("2024-01-01", periods=4, freq="D", tz="UTC", unit="us"))
    table = Table(pd.DataFrame({"ts": ts, "x": np.arange(4)}))

    def day(number: int) -> datetime:
        return datetime(2024, 1, number, tzinfo=UTC)

    assert table.rows((day(2), day(4)))["x"].tolist() == [1, 2]
    assert table.rows((day(2), day(2)))["x"].tolist() == []
    assert table.rows((day(4), day(2)))["x"].tolist() == []
    assert table.rows((day(1), day(30))).index.equals(pd.RangeIndex(4))
