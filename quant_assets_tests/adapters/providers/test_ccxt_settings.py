"""Settings of the provider `ccxt` that are refused before anybody is asked."""

from typing import Any

import pytest

from quant_assets.adapters.providers.ccxt_exchange import Ccxt
from quant_assets.core.errors import ConfigError
from quant_assets_tests.adapters.providers.ccxt_venues import SPOT, ask, ccxt_venue, pull


def test_pull_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "ccxt", None)
    with pytest.raises(ConfigError, match=r'pip install "quant_assets\[crypto\]"'):
        pull(Ccxt(ccxt_venue("http://127.0.0.1:9")), ask("bars"))


@pytest.mark.parametrize(
    ("settings", "market", "words"),
    [
        ({"options": {"defaultType": "swap"}}, {}, "leave defaultType out"),
        ({"options": {"apiKey": "x"}}, {}, "belong into no file"),
        ({"options": {"fetchMarkets": {"password": "x"}}}, {}, r"fetchMarkets\.password"),
        ({"symbols": ["BTC/USD:BTC"]}, {}, "settled in BTC"),
        ({"symbols": [SPOT, SPOT]}, {}, "named twice"),
        ({"symbols": ["BTCUSDT"]}, {}, r"settings\.symbols"),
        ({"symbols": [SPOT]}, {}, "write them in full, for example BTC/USDT:USDT"),
        ({"datasets": ["bars"]}, {}, "must have funding"),
        ({"datasets": ["liquidations"]}, {}, r"settings\.datasets"),
        ({}, {"calendar": "XNYS"}, "is not 24/7"),
        ({}, {"simulated": True}, "market.simulated"),
    ],
)
def test_venue_that_cannot_be_served_is_refused_without_asking(
    settings: dict[str, Any], market: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        Ccxt(ccxt_venue("http://127.0.0.1:9", market=market, **settings))


@pytest.mark.parametrize(
    "url", ["http://me:hunter2@127.0.0.1:9", "http://127.0.0.1:9/?apiKey=hunter2"]
)
def test_mirror_with_a_secret_in_its_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match="belong into no file") as caught:
        Ccxt(ccxt_venue(url))
    assert "hunter2" not in str(caught.value)
