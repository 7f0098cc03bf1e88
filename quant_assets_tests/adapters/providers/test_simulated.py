"""Provider `simulated`: listed rows, exact funding times, a longer history changes nothing."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from quant_assets.adapters.providers.base import Provider, provider_for
from quant_assets.adapters.providers.simulated import Simulated
from quant_assets.contracts.funding import Funding
from quant_assets.core.errors import ConfigError
from quant_assets.core.windows import Grid
from quant_assets.storage.frames import data_digest
from quant_assets_tests.adapters.venue_models import make_venue

pytestmark = pytest.mark.slow

GRID = Grid()
DATASETS = ("bars", "funding", "open_interest", "liquidations", "order_book", "reference")
VERSION_1 = {"bars": "ddcc0bdf7663", "funding": "d37fa7971027"}
SETTINGS: dict[str, Any] = {
    "seed": 3,
    "assets": [
        {"base": "BTC", "first_price": 42_000},
        {"base": "LATE", "first_price": 5, "first": "2024-01-10"},
        {"base": "GONE", "first_price": 50, "last": "2024-01-20", "markets": ["perpetual"]},
    ],
}


def provider(last: str = "2024-02-15", **changes: Any) -> Provider:
    options: dict[str, Any] = {"settings": SETTINGS, "reference": {"benchmark": "BTC/USDT"}}
    return provider_for(
        make_venue("simulated", first="2024-01-01", last=last, **(options | changes))
    )


@pytest.fixture(scope="module")
def simulated() -> Provider:
    return provider()


@pytest.fixture(scope="module")
def january(simulated: Provider) -> pd.DataFrame:
    return simulated.fetch("bars", GRID.window("2024-01-01"))


def test_bars_every_listed_bar_is_there_and_no_other(january: pd.DataFrame) -> None:
    spans = january.groupby("symbol")["ts"].agg(["min", "max", "count"])
    midnight, close = pd.Timestamp("2024-01-01", tz="UTC"), pd.Timedelta("23h55m")
    expected = {
        "BTC/USDT": (0, 30), "BTC/USDT:USDT": (0, 30), "GONE/USDT:USDT": (0, 19),
        "LATE/USDT": (9, 30), "LATE/USDT:USDT": (9, 30),
    }  # fmt: skip
    assert sorted(spans.index) == sorted(expected)
    for symbol, (first, last) in expected.items():
        assert spans.loc[symbol, "min"] == midnight + pd.Timedelta(days=first)
        assert spans.loc[symbol, "max"] == midnight + pd.Timedelta(days=last) + close
        assert spans.loc[symbol, "count"] == (last - first + 1) * 288


def test_bars_are_consistent_and_no_gaps(january: pd.DataFrame) -> None:
    assert (january["low"] <= january[["open", "close"]].min(axis=1)).all()
    assert (january["high"] >= january[["open", "close"]].max(axis=1)).all()
    assert (january[["open", "high", "low", "close", "volume"]] > 0).all(axis=None)
    assert not january["is_gap"].any()
    assert (january["available_at"] - january["ts"] == pd.Timedelta(minutes=5)).all()


@pytest.mark.parametrize("dataset", DATASETS)
def test_fetch_longer_history_changes_no_window_before(simulated: Provider, dataset: Any) -> None:
    longer, shorter = provider("2024-03-31"), provider("2024-01-31")
    window, next_one = GRID.window("2024-01-01"), GRID.window("2024-02-01")
    first = simulated.fetch(dataset, window)
    for other in (longer, shorter):
        pd.testing.assert_frame_equal(first, other.fetch(dataset, window), check_exact=True)
        assert simulated.source_digest(dataset, window) == other.source_digest(dataset, window)
    part, full = simulated.fetch(dataset, next_one), longer.fetch(dataset, next_one)
    known = full[full["ts"] < pd.Timestamp("2024-02-16", tz="UTC")].reset_index(drop=True)
    pd.testing.assert_frame_equal(part, known, check_exact=True)


def test_funding_times_are_exact_and_events_unique(simulated: Provider) -> None:
    funding = simulated.fetch("funding", GRID.window("2024-01-01"))
    times = funding.groupby("symbol")["ts"].agg(list)
    expected = pd.date_range("2024-01-01 08:00", "2024-01-31 16:00", freq="8h", tz="UTC")
    assert times["BTC/USDT:USDT"] == list(expected)
    assert times["LATE/USDT:USDT"] == [t for t in expected if t >= pd.Timestamp("2024-01-10T08Z")]
    assert times["GONE/USDT:USDT"] == [t for t in expected if t <= pd.Timestamp("2024-01-21T00Z")]
    assert (funding["available_at"] == funding["ts"]).all()
    assert funding["rate"].abs().max() <= 0.0075
    assert funding["rate"].nunique() > 10
    assert funding.loc[0, "event_id"] == "funding-2024-01-01T08:00Z"


def test_funding_mark_is_the_last_close_before(simulated: Provider, january: pd.DataFrame) -> None:
    funding = simulated.fetch("funding", GRID.window("2024-01-01"))
    joined = funding.merge(
        january, left_on=["ts", "symbol"], right_on=["available_at", "symbol"], how="left"
    )
    assert (joined["mark_price"] == joined["close"]).all()


def test_funding_without_perpetuals_is_empty() -> None:
    settings = {"assets": [{"base": "BTC", "first_price": 1, "markets": ["spot"]}]}
    frame = provider(settings=settings).fetch("funding", GRID.window("2024-01-01"))
    pd.testing.assert_frame_equal(frame, Funding.empty())


@pytest.mark.parametrize("dataset", ["open_interest", "liquidations", "order_book"])
def test_positions_and_books_are_of_perpetuals_while_they_are_listed(
    simulated: Provider, dataset: Any
) -> None:
    frame = simulated.fetch(dataset, GRID.window("2024-01-01"))
    first, last = (frame.groupby("symbol")["ts"].agg(how) for how in ("min", "max"))
    assert list(first.index) == ["BTC/USDT:USDT", "GONE/USDT:USDT", "LATE/USDT:USDT"]
    assert first["LATE/USDT:USDT"] >= pd.Timestamp("2024-01-10T00Z")
    assert last["GONE/USDT:USDT"] < pd.Timestamp("2024-01-21T00Z")


def test_fetch_other_assets_change_no_row(simulated: Provider) -> None:
    window = GRID.window("2024-01-01")
    alone = provider(settings={"seed": 3, "assets": SETTINGS["assets"][:1]})
    for dataset in DATASETS[:-1]:
        frame = simulated.fetch(dataset, window)  # type: ignore[arg-type]
        own = frame[frame["symbol"].str.startswith("BTC/")].reset_index(drop=True)
        pd.testing.assert_frame_equal(own, alone.fetch(dataset, window), check_exact=True)  # type: ignore[arg-type]


def test_bars_and_funding_are_those_of_version_1(simulated: Provider) -> None:
    """Positions and books came later, and changed no row that was there."""
    window = GRID.window("2024-01-01")
    found = {d: data_digest(simulated.fetch(d, window))[:12] for d in ("bars", "funding")}  # type: ignore[arg-type]
    assert found == VERSION_1


def test_reference_is_the_benchmarks_simple_return(
    simulated: Provider, january: pd.DataFrame
) -> None:
    frame = simulated.fetch("reference", GRID.window("2024-01-01"))
    close = january.loc[january["symbol"] == "BTC/USDT", "close"].to_numpy()
    assert np.isnan(frame["returns"].iloc[0])
    np.testing.assert_allclose(frame["returns"][1:], close[1:] / close[:-1] - 1.0, atol=1e-15)
    assert not frame["assumed"].any()
    assert frame["symbol"].unique().tolist() == ["BTC/USDT"]


def test_publication_delay_moves_available_at_of_every_dataset() -> None:
    late = provider("2024-01-31", market={"publication_delay": "90s"})
    for dataset in DATASETS:
        own = 300 if dataset in ("bars", "reference") else 0
        frame = late.fetch(dataset, GRID.window("2024-01-01"))  # type: ignore[arg-type]
        assert (frame["available_at"] - frame["ts"] == pd.Timedelta(seconds=own + 90)).all()


def test_bar_length_of_an_hour_has_the_same_settlement_times(simulated: Provider) -> None:
    hourly = provider(market={"bar_length": "1h", "bars_per_year": 8760})
    window = GRID.window("2024-01-01")
    assert len(hourly.fetch("bars", window)) == 24 * (31 + 31 + 22 + 22 + 20)
    left, right = (p.fetch("funding", window) for p in (hourly, simulated))
    pd.testing.assert_frame_equal(left[["ts", "symbol"]], right[["ts", "symbol"]])


def test_planted_shocks_name_listed_symbols_inside_the_history(simulated: Provider) -> None:
    assert isinstance(simulated, Simulated)
    shocks = simulated.planted_shocks()
    assert {"jump", "burst", "market_burst"} <= set(shocks["kind"])
    assert shocks["ts"].min() >= pd.Timestamp("2024-01-01", tz="UTC")
    assert shocks["available_at"].max() <= pd.Timestamp("2024-02-16", tz="UTC")


def test_source_digest_depends_on_seed_first_day_and_dataset(simulated: Provider) -> None:
    window = GRID.window("2024-02-01")
    digests = {
        simulated.source_digest("bars", window),
        simulated.source_digest("funding", window),
        provider(settings={**SETTINGS, "seed": 4}).source_digest("bars", window),
        provider_for(
            make_venue("simulated", first="2024-01-02", last="2024-02-15", settings=SETTINGS)
        ).source_digest("bars", window),
    }
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"market": {"simulated": False}}, "market.simulated: must be true"),
        ({"market": {"calendar": "XNYS"}}, "market.calendar: XNYS is not 24/7"),
        ({"market": {"bar_length": "7m"}}, "market.bar_length: 0:07:00 does not divide 8 hours"),
        ({"last": None}, "history.last: is required"),
        (
            {"settings": {"order_book": {"interval": "7m"}}},
            "order_book.interval: 0:07:00 is no multiple of market.bar_length 0:05:00",
        ),
        ({"reference": {"risk_free": "tbill"}}, "reference.risk_free: 'tbill' is not null"),
        (
            {"reference": {"benchmark": "ETH/USDT"}},
            "'ETH/USDT' is not among: BTC/USDT, BTC/USDT:USDT",
        ),
    ],
)
def test_check_venue_claims_that_it_cannot_keep_are_refused(
    change: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        provider(**change)
    assert str(caught.value).startswith("venue test_simulated: ")
    assert words in str(caught.value)
