"""Secrets in what libraries say and in what users write: hidden, or refused."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from quant_assets.core.errors import ConfigError, DataError, QuantAssetsError
from quant_assets.core.redaction import HIDDEN, looks_secret, redact, secrets_in
from quant_assets.core.yaml_loader import load_model

SECRET = "s3cr3t-Value.1"  # noqa: S105 - nobody's
TEXTS = [
    f"GET https://me:{SECRET}@host/v1?symbol=BTC failed",
    f"GET https://{SECRET}@host/v1",
    f"GET https://host/v1?symbol=BTC&apiKey={SECRET}&limit=5",
    f"GET https://host/v1?signature={SECRET}",
    f"access_token={SECRET}; path=/",
    f"{{'apiKey': '{SECRET}', 'limit': 5}}",
    f'{{"client_secret":"{SECRET}"}}',
    f"{{'password': {SECRET}}}",
    f"Authorization: Bearer {SECRET}",
    f"postgresql+psycopg2://dagster:{SECRET}@db:5432/runs",
]


@pytest.mark.parametrize("text", TEXTS)
def test_secret_is_hidden_and_the_rest_stays(text: str):
    shown = redact(text)
    assert SECRET not in shown
    assert HIDDEN in shown
    head, _, tail = text.partition(SECRET)
    assert shown.endswith(tail.lstrip("'\""))  # quotes go with what they hold
    assert shown[:4] == head[:4]


@pytest.mark.parametrize(
    "text",
    [
        "bars.csv: line 3: BTC/USDT:USDT at 2024-01-01 UTC: high below low",
        "GET https://host/v1?symbol=BTC&limit=5",
        "found character '%' that cannot start any token",
        "write to me@example.org",
        "the author said: tokens are rare; a secret is none",
        "",
    ],
)
def test_text_without_a_secret_is_left_alone(text: str):
    assert redact(text) == text


@given(st.text(max_size=200))
def test_redaction_is_done_once_and_for_all(text: str):
    assert redact(redact(text)) == redact(text)


def test_errors_show_no_secret_and_travel():
    error = DataError(TEXTS[0])
    assert str(error) == f"GET https://{HIDDEN}@host/v1?symbol=BTC failed"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own
    assert issubclass(DataError, QuantAssetsError)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("apiKey", True),
        ("API-KEY", True),
        ("passphrase", True),
        ("auth.token", True),
        ("privateKey", True),
        ("fetchMarkets", False),
        ("key", False),
        ("author", False),
    ],
)
def test_looks_secret(name: str, expected: bool):
    assert looks_secret(name) == expected


def test_secrets_of_settings_are_named_by_their_keys():
    settings = {
        "fetchMarkets": {"types": ["linear"], "apiKey": SECRET},
        "mirrors": [
            "https://host/x",
            f"https://me:{SECRET}@host/x",
            f"https://host/?token={SECRET}",
        ],
        "secret": {"inner": 1},
        "broken": "http://[",
    }
    found = list(secrets_in(settings))
    assert found == ["fetchMarkets.apiKey", "mirrors.1", "mirrors.2", "secret"]
    assert SECRET not in str(found)


def test_error_about_a_file_shows_no_secret_of_it(tmp_path: Path):
    class Settings(BaseModel):
        api_key: int = 0
        mirror: int = 0

    path = tmp_path / "settings.yaml"
    path.write_text(f"api_key: {SECRET}\nmirror: https://me:{SECRET}@host\n")
    with pytest.raises(ConfigError, match=r"api_key: .*valid integer") as caught:
        load_model(path, Settings)
    assert SECRET not in str(caught.value)
    assert f"https://{HIDDEN}@host" in str(caught.value)
