"""Finer bars inside of longer ones, and rates of currencies, from a file or from the bars."""

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from quant_assets.cli.main import _exit_code, cli
from quant_assets.cli.strategies.bars import Found, Wanted, find_bars
from quant_assets.cli.strategies.inputs import before, read_rates, with_inputs
from quant_assets.cli.strategies.running import sealed
from quant_assets.core.config import Settings
from quant_assets.core.errors import DataError
from quant_assets.core.venues import parse_duration
from quant_assets.quant.simulation.execution.model import ExecutionModel

pytestmark = pytest.mark.slow

HOURS = pd.date_range("2024-01-02", periods=10, freq="h", tz="UTC")
CLOSES = [100.0, 99.0, 98.0, 100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 100.0]
TRADED = 4  # the hour in which the account holds: decided at the close of hour 3
IDEA = """\
strategy: idea
version: "1.0.0"
runtime: {candle_interval: "1h"}
components:
  signals: {entry_long: [{ma_cross_up: {fast: 1, slow: 2}}]}
  sizing: {type: fixed_fraction, params: {fraction: 0.5}}
  risk: [{stop_loss: {pct: 0.05}}, {take_profit: {pct: 0.05}}]
execution:
  slippage_model: none
  commission_model: none
"""
DETAIL = "  fill_model: {detail_timeframe: {timeframe: 5m, same_bar: %s}}\n"


def five_minutes(*, highest: int, lowest: int, symbol: str = "AAA") -> pd.DataFrame:
    """Hours of twelve bars; one of hour `TRADED` reaches 106, one 94."""
    rows = []
    for hour, (moment, close) in enumerate(zip(HOURS, CLOSES, strict=True)):
        for step in range(12):
            met = hour == TRADED
            high = 106.0 if met and step == highest else close
            low = 94.0 if met and step == lowest else close
            ts = moment + pd.Timedelta(minutes=5 * step)
            rows.append((ts, symbol, close, high, low, close, 1e6))
    return pd.DataFrame(rows, columns=["ts", "symbol", "open", "high", "low", "close", "volume"])


def found_of(folder: Path, frame: pd.DataFrame, length: str | None = "1h") -> Found:
    path = folder / "bars.parquet"
    frame.to_parquet(path, index=False)
    return find_bars(Wanted(file=path, bar_length=parse_duration(length)), Settings())


def following(timeframe: str) -> ExecutionModel:
    return ExecutionModel(fill_model={"detail_timeframe": {"timeframe": timeframe}})


def in_euros(**parameters: object) -> ExecutionModel:
    return ExecutionModel(fx_model={"as_of": {"currencies": {"AAA": "EUR"}, **parameters}})


def test_bars_that_longer_ones_are_made_of_are_the_detail(tmp_path: Path):
    frame = five_minutes(highest=2, lowest=7)
    found = with_inputs(found_of(tmp_path, frame), following("5m"))
    assert found.detail is not None
    assert found.detail.high[:, 0].tolist() == frame["high"].tolist()
    assert found.notes[-1] == "stops, targets and limits are followed on bars of 5m"
    plain = with_inputs(found_of(tmp_path, frame), ExecutionModel())
    assert plain.detail is None
    assert plain.digest != found.digest


def test_detail_is_made_of_yet_finer_bars(tmp_path: Path):
    found = with_inputs(found_of(tmp_path, five_minutes(highest=2, lowest=7)), following("15m"))
    assert found.detail is not None
    hour = slice(4 * TRADED, 4 * TRADED + 4)
    assert found.detail.high[hour, 0].tolist() == [106.0, 100.0, 100.0, 100.0]
    assert found.detail.low[hour, 0].tolist() == [100.0, 100.0, 94.0, 100.0]
    assert len(before(found.detail, found.panel.ts[TRADED])) == 4 * TRADED


@pytest.mark.parametrize(
    ("timeframe", "length", "said"),
    [
        ("1m", "1h", r"has bars of 5m: give bars of 1m .* \(--bar-length 1h\)"),
        ("7m", "1h", "which do not divide the run's bars of 1h"),
        ("1h", "1h", "name a shorter timeframe"),
        ("5m", None, "ask for longer bars"),
    ],
)
def test_detail_that_nothing_gives_is_refused_with_what_to_do(
    tmp_path: Path, timeframe: str, length: str | None, said: str
):
    found = found_of(tmp_path, five_minutes(highest=2, lowest=7), length)
    with pytest.raises(DataError, match=said):
        with_inputs(found, following(timeframe))


def test_rates_of_a_file_are_known_one_step_after_their_time(tmp_path: Path):
    path = tmp_path / "rates.csv"
    path.write_text("ts,currency,rate\n2024-01-01,EUR,1.25\n2023-12-31,EUR,1.5\n")
    rates = read_rates(path)
    assert rates["symbol"].tolist() == ["EUR/USD", "EUR/USD"]
    assert rates["rate"].tolist() == [1.5, 1.25]
    assert [str(one) for one in rates["available_at"]] == [
        "2024-01-01 00:00:00+00:00",
        "2024-01-02 00:00:00+00:00",
    ]
    found = found_of(tmp_path, five_minutes(highest=2, lowest=7))
    found = with_inputs(found, in_euros(), path)
    terms = in_euros().terms(found.panel, rates=found.rates)
    assert terms.instruments.fx[:, 0].tolist() == [1.25] * len(HOURS)


def test_rates_are_the_closes_of_pairs_among_the_bars(tmp_path: Path):
    own = five_minutes(highest=2, lowest=7)
    pair = five_minutes(highest=0, lowest=0, symbol="USD/EUR")
    frame = pd.concat([own, pair]).sort_values(["ts", "symbol"], ignore_index=True)
    path = tmp_path / "bars.parquet"
    frame.to_parquet(path, index=False)
    wanted = Wanted(file=path, symbols=("AAA",), start="2024-01-02", bar_length=None)
    found = with_inputs(find_bars(wanted, Settings()), in_euros())
    assert found.rates is not None
    assert found.rates["rate"].tolist() == pair["close"].tolist()[:-1]  # the last comes after
    assert (found.rates["available_at"] - found.rates["ts"]).unique() == pd.Timedelta("5min")
    assert found.notes[-1] == "rates of currencies are the closes of USD/EUR of bars.parquet"


def test_rates_that_nothing_gives_are_refused_with_what_to_do(tmp_path: Path):
    found = found_of(tmp_path, five_minutes(highest=2, lowest=7))
    with pytest.raises(DataError, match=r"has no rates of EUR in USD: give --rates FILE"):
        with_inputs(found, in_euros())
    path = tmp_path / "rates.csv"
    path.write_text("ts,pair,rate\n2024-01-01,GBP/USD,1.25\n2024-01-02,GBP/USD,1.25\n")
    with pytest.raises(DataError, match=r"rates.csv has no rates of EUR"):
        with_inputs(found, in_euros(), path)
    said = with_inputs(found, ExecutionModel(), path).notes[-1]
    assert said.startswith("rates.csv was not used")
    for text, problem in (
        ("ts,pair\n2024-01-01,EUR\n", "must have ts, rate, and symbol"),
        ("ts,pair,rate\n2024-01-01,EUR,x\n", "has no numbers"),
        ("ts,pair,rate\n2024-01-01,EUR,1.1\n", "need a column available_at"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=problem):
            read_rates(path)
    with pytest.raises(DataError, match="there is no such file"):
        read_rates(tmp_path / "none.csv")


def test_sealed_months_hold_their_finer_bars_and_rates_back(tmp_path: Path):
    ts = pd.date_range("2024-01-01", "2024-03-31 12:00", freq="12h", tz="UTC")
    prices = dict.fromkeys(["open", "high", "low", "close"], 100.0)
    frame = pd.DataFrame({"ts": ts, "symbol": "AAA", **prices, "volume": 1.0})
    rates = pd.DataFrame({"ts": ts, "pair": "EUR/USD", "rate": 1.1})
    rates.to_csv(tmp_path / "rates.csv", index=False)
    model = ExecutionModel(
        fill_model={"detail_timeframe": {"timeframe": "12h"}},
        fx_model={"as_of": {"currencies": {"AAA": "EUR"}}},
    )
    found = with_inputs(found_of(tmp_path, frame, "1d"), model, tmp_path / "rates.csv")
    kept, vault = sealed(found, Settings(data_root=tmp_path / "data"), 1)
    assert kept.detail is not None
    assert kept.rates is not None
    assert 0 < len(kept.panel) < len(found.panel)
    assert len(kept.detail) == 2 * len(kept.panel)
    assert kept.detail.ts[-1] < vault.first
    assert kept.rates["available_at"].max() == pd.Timestamp(vault.first, tz="UTC")
    assert set(kept.inputs) == {"detail", "rates"}


def ran(folder: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> dict:
    monkeypatch.setenv("QUANT_ASSETS_DATA_ROOT", str(folder / "data"))
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(cli, ["strategy", *words, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(("highest", "lowest", "paid"), [(2, 7, 105.0), (7, 2, 95.0)])
@pytest.mark.parametrize("same_bar", ["worst", "best"])
def test_first_of_stop_and_target_inside_of_an_hour_decides(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    highest: int,
    lowest: int,
    paid: float,
    same_bar: str,
):
    five_minutes(highest=highest, lowest=lowest).to_parquet(tmp_path / "bars.parquet")
    (tmp_path / "idea.yaml").write_text(IDEA + DETAIL % same_bar)
    (tmp_path / "plain.yaml").write_text(
        IDEA + f"  fill_model: {{next_open: {{same_bar: {same_bar}}}}}"
    )
    words = ("--bars", "bars.parquet", "--no-report")
    folder = ran(tmp_path, monkeypatch, ("backtest", "idea.yaml", *words))["folder"]
    trades = pd.read_parquet(Path(folder) / "trades.parquet")
    assert trades["entry_price"].tolist() == [100.0]
    assert trades["exit_price"].tolist() == [paid]
    folder = ran(tmp_path, monkeypatch, ("backtest", "plain.yaml", *words))["folder"]
    without = pd.read_parquet(Path(folder) / "trades.parquet")["exit_price"].tolist()
    assert without == [{"worst": 95.0, "best": 105.0}[same_bar]]


def test_every_study_is_given_detail_and_rates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    five_minutes(highest=2, lowest=7).to_parquet(tmp_path / "bars.parquet")
    fx = "  fx_model: {as_of: {currencies: {AAA: EUR}}}\n"
    (tmp_path / "idea.yaml").write_text(IDEA + DETAIL % "worst" + fx)
    rates = pd.date_range("2023-12-30", periods=3, freq="D", tz="UTC")
    frame = pd.DataFrame({"ts": rates, "pair": "EUR/USD", "rate": [1.0, 1.0, 2.0]})
    frame.to_csv(tmp_path / "rates.csv", index=False)
    words = ("idea.yaml", "--bars", "bars.parquet", "--rates", "rates.csv")
    record = ran(tmp_path, monkeypatch, ("backtest", *words, "--no-report"))
    fills = pd.read_parquet(Path(record["folder"]) / "fills.parquet")
    assert fills["quantity"].abs().tolist() == [250.0, 250.0]  # half of 100,000 USD at 100 x 2
    trades = pd.read_parquet(Path(record["folder"]) / "trades.parquet")
    assert trades["exit_price"].tolist() == [105.0]
    assert ran(tmp_path, monkeypatch, ("check", *words))["trusted"]
    ran(tmp_path, monkeypatch, ("audit", *words))
    ran(tmp_path, monkeypatch, ("costs", *words, "--fees", "1", "--slippages", "1"))
    tried = ("--try", "components.risk.0.stop_loss.pct=0.05,0.2", "--objective", "total_return")
    ran(tmp_path, monkeypatch, ("sweep", *words, *tried))
    refused = CliRunner().invoke(
        cli, ["strategy", "monte-carlo", *words, "--noisy-runs", "2", "--paths", "10"]
    )
    assert refused.exception is not None
    assert "--noisy-runs moves the prices" in str(refused.exception)
    assert _exit_code(refused.exception) == 2
