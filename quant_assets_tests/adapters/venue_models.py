"""Small venues for the provider tests."""

from importlib.util import find_spec
from typing import Any

import pytest

from quant_assets.core.venues import Venue

NEEDS_DEMO = pytest.mark.skipif(
    find_spec("skfolio") is None or find_spec("arch") is None,
    reason='the extra is absent: pip install "quant_assets[demo]"',
)
MARKETS: dict[str, dict[str, Any]] = {
    "simulated": {
        "asset_class": "crypto_perpetual",
        "currency": "USDT",
        "calendar": "24/7",
        "time_zone": "UTC",
        "bar_length": "5m",
        "bars_per_year": 105120,
        "price_fields": ["open", "high", "low", "close", "volume"],
        "simulated": True,
        "funding": "required",
    },
    "bundled": {
        "asset_class": "equity",
        "currency": "USD",
        "calendar": "XNYS",
        "time_zone": "America/New_York",
        "bar_length": "1d",
        "bars_per_year": 252,
        "price_fields": ["close"],
    },
}
FILLS = {"simulated": "next_open", "bundled": "next_close"}


def make_venue(
    provider: str,
    *,
    first: str,
    last: str | None,
    settings: dict[str, Any] | None = None,
    reference: dict[str, str | None] | None = None,
    market: dict[str, Any] | None = None,
) -> Venue:
    """A venue of one provider; `market` overrides single keys."""
    return Venue.model_validate(
        {
            "name": f"test_{provider}",
            "title": "test",
            "provider": {"name": provider, "settings": settings or {}},
            "history": {"first": first, "last": last},
            "market": {**MARKETS[provider], **(market or {})},
            "reference": reference or {},
            "alpha": {"month_bars": 21},
            "simulation": {"fill": FILLS[provider]},
        }
    )
