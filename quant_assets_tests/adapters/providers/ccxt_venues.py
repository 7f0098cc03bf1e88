"""A venue that is pulled by way of ccxt, and what it is asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any

from quant_assets.adapters.providers.ccxt_exchange import Ccxt
from quant_assets.adapters.pulling.base import Page, PullRequest
from quant_assets.core.venues import Venue

DAY = datetime(2026, 1, 1, tzinfo=UTC)
PERPETUAL, SPOT = "BTC/USDT:USDT", "BTC/USDT"
EVERYTHING = ["bars", "funding", "open_interest", "order_book"]


def ccxt_venue(url: str, *, market: dict[str, Any] | None = None, **settings: Any) -> Venue:
    return Venue.model_validate(
        {
            "name": "test_ccxt",
            "title": "test",
            "provider": {
                "name": "ccxt",
                "settings": {
                    "exchange": "binance",
                    "symbols": [PERPETUAL, SPOT],
                    "datasets": EVERYTHING,
                    "page_rows": {"bars": 61, "funding": 31, "open_interest": 101},
                    "base_url": url,
                    "requests_per_minute": 120000,
                    "options": {
                        "fetchMarkets": {"types": ["spot", "linear"]},
                        "fetchCurrencies": False,
                        "fetchMargins": False,
                    },
                    **settings,
                },
            },
            "history": {"first": "2025-12-01"},
            "market": {
                "asset_class": "crypto_perpetual",
                "currency": "USDT",
                "calendar": "24/7",
                "time_zone": "UTC",
                "bar_length": "5m",
                "bars_per_year": 105120,
                "price_fields": ["open", "high", "low", "close", "volume"],
                "funding": "required",
                **(market or {}),
            },
            "alpha": {"month_bars": 288},
        }
    )


def ask(
    dataset: str,
    symbol: str = PERPETUAL,
    *,
    start: datetime = DAY,
    end: datetime = DAY + timedelta(days=1),
) -> PullRequest:
    return PullRequest(dataset, symbol, start, end)


def pull(provider: Ccxt, request: PullRequest) -> list[Page]:
    return list(provider.pull(request))
