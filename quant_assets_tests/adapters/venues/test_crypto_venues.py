"""The packaged crypto venues: complete, feasible, and able to pull from what exchanges send.

OKX and Bybit are answers written after their documentation; newest row first, cut at their limits.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

from quant_assets.adapters.providers.ccxt_exchange import Ccxt
from quant_assets.adapters.pulling.base import PullRequest
from quant_assets.adapters.pulling.ranges import Range, missing_ranges
from quant_assets.adapters.venues.loader import load_venues
from quant_assets.core.venues import Venue
from quant_assets_tests.adapters.providers.binance_server import milliseconds, serve
from quant_assets_tests.adapters.providers.test_ccxt_exchange import NEEDS_CRYPTO

CRYPTO = ["binance_spot", "binance_usdm", "bybit_linear", "okx_swap"]
START = datetime(2026, 1, 8, tzinfo=UTC)
NOW = START + timedelta(days=1, minutes=2, seconds=30)
FIVE, EIGHT = 300_000, 8 * 3_600_000
Send = Callable[[str, dict[str, str]], Any]


def times(step: int, *, after: int, until: int, limit: str) -> list[int]:
    """The newest `limit` multiples of `step` in (after, until), newest first."""
    end = min(until, milliseconds(NOW) + 1)
    return [*range((after // step + 1) * step, end, step)][::-1][: int(limit)]


def okx(path: str, query: dict[str, str]) -> Any:
    """OKX: `before` and `after` are open ends, `begin` and `end` are closed."""
    if path.endswith("/time"):
        return [{"ts": str(milliseconds(NOW))}]
    if path.endswith("/instruments"):
        words = {"instType": "SWAP", "instId": "BTC-USDT-SWAP", "uly": "BTC-USDT"}
        size = {"ctVal": "0.01", "ctMult": "1", "ctValCcy": "BTC", "ctType": "linear"}
        more = {"settleCcy": "USDT", "listTime": "1573557408000", "state": "live"}
        return [{**words, **size, **more, "tickSz": "0.1", "lotSz": "1", "minSz": "1"}]
    if "open-interest" in path:
        begin, end = int(query["begin"]) - 1, int(query["end"]) + 1
        found = times(FIVE, after=begin, until=end, limit=query["limit"])
        return [[str(t), "2800", "28.0", "2360916.4"] for t in found]
    before, after = int(query["before"]), int(query.get("after", milliseconds(NOW) + 1))
    if "candles" in path:
        found = times(FIVE, after=before, until=after, limit=query["limit"])
        return [[str(t), "10", "12", "9", "11", "100", "1.0", "11", "1"] for t in found]
    found = times(EIGHT, after=before, until=after, limit="2")
    return [
        {"instId": "BTC-USDT-SWAP", "fundingRate": "0.0001", "fundingTime": str(t)} for t in found
    ]


def bybit(path: str, query: dict[str, str]) -> Any:
    """Bybit: both ends are closed."""
    if path.endswith("/time"):
        return {}
    if path.endswith("/instruments-info"):
        words = {"symbol": "BTCUSDT", "contractType": "LinearPerpetual", "status": "Trading"}
        coins = {"baseCoin": "BTC", "quoteCoin": "USDT", "settleCoin": "USDT"}
        more = {"launchTime": "1585526400000", "fundingInterval": 480, "priceScale": "2"}
        filters = {"leverageFilter": {}, "priceFilter": {}, "lotSizeFilter": {}}
        rows = [{**words, **coins, **more, **filters}]
        return {"category": "linear", "list": rows, "nextPageCursor": ""}
    start = int(query.get("start") or query["startTime"]) - 1
    end = int(query.get("end") or query["endTime"]) + 1
    step = EIGHT if "funding" in path else FIVE
    found = times(step, after=start, until=end, limit=query["limit"])
    if "kline" in path:
        return {"list": [[str(t), "10", "12", "9", "11", "1.0", "11"] for t in found]}
    if "funding" in path:
        rows = [{"fundingRate": "0.0001", "fundingRateTimestamp": str(t)} for t in found]
        return {"list": [{"symbol": "BTCUSDT", **row} for row in rows]}
    return {
        "symbol": "BTCUSDT",
        "list": [{"openInterest": "28", "timestamp": str(t)} for t in found],
    }


def answered(send: Send, code: str, data: str, ok: object, url: str, *_: object) -> Any:
    parts = urlsplit(url)
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    return {code: ok, data: send(parts.path, query), "time": milliseconds(NOW)}


def packaged(name: str, **settings: Any) -> Venue:
    venue = load_venues(None)[name]
    provider = venue.provider.model_copy(
        update={"settings": {**venue.provider.settings, **settings}}
    )
    return venue.model_copy(update={"provider": provider})


def check_pulls(provider: Ccxt, symbol: str) -> dict[str, pd.DataFrame]:
    """Pull a day of everything that the venue wants of a symbol; nothing but the future misses."""
    frames = {}
    for dataset in [dataset for dataset, wanted in provider.wanted() if wanted == symbol]:
        request = PullRequest(dataset, symbol, START, START + timedelta(days=2))
        pages = list(provider.pull(request))
        [missing] = missing_ranges([page.confirmed for page in pages], request.range)
        frames[dataset] = pd.concat([page.frame for page in pages], ignore_index=True)
        midnight = START + timedelta(days=1)
        assert timedelta(0) <= missing.start - midnight <= timedelta(milliseconds=4)
        assert missing == Range(missing.start, request.end)
    return frames


@pytest.mark.parametrize("name", CRYPTO)
def test_packaged_crypto_venue_is_feasible_and_needs_no_extra_to_load(name: str) -> None:
    venue = load_venues(None)[name]
    provider = Ccxt(venue)
    symbols = provider.settings.symbols
    assert len(symbols) * venue.optimization.max_weight >= venue.optimization.budget
    assert venue.reference.benchmark in symbols
    assert {dataset for dataset, _ in provider.wanted()} == set(provider.settings.datasets)
    assert "client" not in vars(provider)
    assert any(stamp.startswith("SURVIVORS ONLY") for stamp in venue.stamps())
    assert (name == "binance_spot") == (venue.market.funding == "none")


@NEEDS_CRYPTO
@pytest.mark.parametrize(
    ("name", "symbol"), [("binance_usdm", "BTC/USDT:USDT"), ("binance_spot", "BTC/USDT")]
)
def test_packaged_binance_pulls_from_its_own_hosts_paths_only(name: str, symbol: str) -> None:
    with serve(NOW) as server:
        venue = packaged(name, base_url=server.url, requests_per_minute=120000)
        frames = check_pulls(Ccxt(venue), symbol)
        assert len(frames["bars"]) == 288
        own = ("/api/",) if name == "binance_spot" else ("/fapi/", "/futures/data/")
        assert all(path.startswith(own) for path, _ in server.asked)


@NEEDS_CRYPTO
@pytest.mark.parametrize(
    ("name", "send", "code", "data", "ok", "counted"),
    [
        ("okx_swap", okx, "code", "data", "0", (2800.0, "contracts")),
        ("bybit_linear", bybit, "retCode", "result", 0, (28.0, "base")),
    ],
)
def test_packaged_venue_pulls_from_an_exchange_that_sends_the_newest_first(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    send: Send,
    code: str,
    data: str,
    ok: object,
    counted: tuple[float, str],
) -> None:
    provider = Ccxt(packaged(name, requests_per_minute=120000))
    exchange = provider.client.exchange
    answers = partial(answered, send, code, data, ok)
    monkeypatch.setattr(type(exchange), "fetch", lambda _, *asked: answers(*asked))
    monkeypatch.setattr(exchange, "milliseconds", lambda: milliseconds(NOW))
    frames = check_pulls(provider, "BTC/USDT:USDT")
    grid = [START + n * timedelta(minutes=5) for n in range(289)]
    assert frames["bars"]["ts"].tolist() == grid[:-1]
    assert set(frames["bars"]["volume"]) == {1.0}  # base units, not the 100 contracts beside them
    assert frames["funding"]["ts"].tolist() == grid[::96]
    interest = frames["open_interest"]
    assert interest["ts"].tolist() == grid
    assert {*zip(interest["open_interest"], interest["unit"], strict=True)} == {counted}
