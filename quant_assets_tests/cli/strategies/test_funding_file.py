"""Perpetuals of a file: settlements of another file, or none and that said."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from quant_assets.cli.main import cli
from quant_assets_tests.cli.program import quant_assets
from quant_assets_tests.cli.strategies.files import daily_bars

pytestmark = pytest.mark.slow

NAMES = {"AAA": "BTC/USDT:USDT", "BBB": "ETH/USDT:USDT"}
RUN = ("strategy", "backtest", "--bars", "bars.csv")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Daily bars of two perpetuals, and three settlements a day of both."""
    monkeypatch.setenv("QUANT_ASSETS_DATA_ROOT", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    bars = daily_bars(60)
    bars.assign(symbol=bars["symbol"].map(NAMES)).to_csv("bars.csv", index=False)
    ts = pd.date_range(bars["ts"].min(), periods=3 * 60, freq="8h")
    rates = np.random.default_rng(1).normal(1e-4, 1e-4, len(ts))
    values = {"ts": ts, "funding_rate": rates, "mark_price": 100.0 + np.arange(len(ts))}
    pd.concat([pd.DataFrame({"symbol": name, **values}) for name in NAMES.values()]).to_csv(
        "funding.csv", index=False
    )
    return tmp_path


def answer(*words: str) -> dict:
    result = CliRunner().invoke(cli, [*RUN, *words, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_settlements_of_a_file_are_paid_and_shown_to_strategies():
    record = answer("buy_and_hold", "--funding", "funding.csv")
    fills = pd.read_parquet(Path(record["folder"]) / "fills.parquet")
    paid = 0.0
    for row in pd.read_csv("funding.csv", parse_dates=["ts"]).itertuples():
        held = fills[(fills["symbol"] == row.symbol) & (fills["ts"] < row.ts)]["quantity"].sum()
        paid -= held * row.funding_rate * row.mark_price
    assert record["costs"]["funding"] == pytest.approx(paid, rel=1e-9)
    assert paid < -10.0
    assert answer("funding_carry", "--funding", "funding.csv")["n_bars"] == 60


def test_no_funding_must_be_asked_for_and_is_said(folder: Path):
    refused = quant_assets(folder / "data", *RUN, "buy_and_hold")
    assert refused.code == 3
    assert "--funding zero" in refused.stderr
    record = answer("buy_and_hold", "--funding", "zero")
    assert "funding is assumed to be zero" in record["assumptions"]
    assert not record["costs"].get("funding")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            "ts,symbol,funding_rate\n2022-01-03T08:00:00Z,SOL/USDT:USDT,1e-4\n",
            "it has those of SOL",
        ),
        (
            "ts,symbol,funding_rate\n" + 2 * "2022-01-03T08:00:00Z,BTC/USDT:USDT,1e-4\n",
            "is there twice",
        ),
        (
            "ts,symbol,funding_rate\n2022-01-03T08:00:00Z,BTC/USDT:USDT,x\n"
            "2022-01-03T16:00:00Z,BTC/USDT:USDT,1e-4\n",
            "1 lines cannot be read",
        ),
        ("ts,symbol,close\n2022-01-03T08:00:00Z,BTC/USDT:USDT,1\n", "no settlements in it"),
    ],
)
def test_files_that_would_pay_something_else_are_refused(folder: Path, lines: str, said: str):
    Path("other.csv").write_text(lines)
    words = (*RUN, "buy_and_hold", "--funding", "other.csv")
    refused = CliRunner().invoke(cli, list(words))
    assert said in str(refused.exception)
