import struct

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.adjustments import Adjustments
from quant_assets.contracts.alpha_features import AlphaFeatures
from quant_assets.contracts.alpha_signals import AlphaSignals
from quant_assets.contracts.alpha_streams import AlphaStreams
from quant_assets.contracts.bars import Bars
from quant_assets.contracts.base import Contract
from quant_assets.contracts.candidate_pool import CandidatePool
from quant_assets.contracts.correlations import Correlations
from quant_assets.contracts.doubts import Doubts
from quant_assets.contracts.fills import Fills
from quant_assets.contracts.final_holdings import FinalHoldings
from quant_assets.contracts.funding import Funding
from quant_assets.contracts.gap_ledger import GapLedger
from quant_assets.contracts.liquidations import Liquidations
from quant_assets.contracts.market_context import MarketContext
from quant_assets.contracts.open_interest import OpenInterest
from quant_assets.contracts.order_book import OrderBook
from quant_assets.contracts.quality import Quality
from quant_assets.contracts.report_files import ReportFiles
from quant_assets.contracts.returns import Returns
from quant_assets.contracts.trades import Trades
from quant_assets.contracts.universe import Universe
from quant_assets.reporting.pictures import completeness_table, picture
from quant_assets_tests.reporting.samples import FRAMES

pytestmark = pytest.mark.slow

SYMBOLS = ["$x^2$", "BTC/USDT:USDT", "NA", "_hidden"]
DAYS = pd.date_range("2024-01-01", periods=6, tz="UTC").as_unit("us")
DECIDED = pd.Timestamp("2024-01-01", tz="UTC").as_unit("us")


def _cells(**columns: object) -> pd.DataFrame:
    """One row per day and symbol, with the clock columns in front."""
    n = len(DAYS) * len(SYMBOLS)
    frame = pd.DataFrame(
        {
            "ts": DAYS.repeat(len(SYMBOLS)),
            "available_at": DAYS.repeat(len(SYMBOLS)),
            "symbol": pd.Series(SYMBOLS * len(DAYS), dtype="str"),
        }
    )
    return frame.assign(**{k: v if np.ndim(v) else [v] * n for k, v in columns.items()})


def _decisions(**columns: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"decided_at": [DECIDED] * len(SYMBOLS), "symbol": pd.Series(SYMBOLS, dtype="str")}
    )
    return frame.assign(**columns)


def _numbers(n: int, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(1).uniform(-scale, scale, n)


def _pool() -> pd.DataFrame:
    rows = [
        (DECIDED, symbol, rule, 1.0, 2.0, symbol != "NA", symbol != "NA")
        for symbol in SYMBOLS
        for rule in ("history", "volatility")
    ]
    names = ["decided_at", "symbol", "rule", "value", "limit", "passed", "is_candidate"]
    return pd.DataFrame(rows, columns=names).astype({"symbol": "str", "rule": "str"})


def _correlations() -> pd.DataFrame:
    names = sorted(SYMBOLS)
    pairs = [(a, b, float(a == b), 6) for i, a in enumerate(names) for b in names[i:]]
    frame = pd.DataFrame(pairs, columns=["symbol", "other", "correlation", "n_rows"])
    frame.insert(0, "decided_at", [DECIDED] * len(pairs))
    return frame.astype({"symbol": "str", "other": "str"})


def _fills() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ts": DAYS[:4],
            "available_at": DAYS[:4],
            "entrant": pd.Series(["champion", "champion", "hrp", "hrp"], dtype="str"),
            "symbol": pd.Series(SYMBOLS, dtype="str"),
            "fill_id": pd.Series(list("abcd"), dtype="str"),
        }
    )


def _venue_samples() -> dict[str, pd.DataFrame]:
    """What venues deliver besides bars, and what is thought of it."""
    n = len(DAYS) * len(SYMBOLS)
    sides = pd.Series(["buy", "sell"] * (n // 2), dtype="str")
    events = pd.Series([f"e{i}" for i in range(n)], dtype="str")
    counts = dict.fromkeys(["gaps", "stale", "spikes", "quarantined", "repaired"], 0)
    share = np.linspace(0.0, 1.0, n)
    present = (share * 10).astype(int)
    times = DAYS.repeat(len(SYMBOLS))
    gaps = _cells(begun_at=times, until=times + pd.Timedelta(hours=9), bars=3)
    causes = pd.Series(["unknown", "whole venue", "quarantined"] * (n // 3), dtype="str")
    prices = {"bid_price": 99.0, "bid_quantity": 1.0, "ask_price": 100.0, "ask_quantity": 1.0}
    text = pd.Series([""] * n, dtype="str")
    doubts = _cells(
        outcome=pd.Series(["quarantined", "flagged"] * (n // 2), dtype="str"),
        reason=pd.Series(["high < low", "spike"] * (n // 2), dtype="str"),
        value=np.nan,
        file=text,
        line=0,
        text=text,
    )
    doubts.insert(2, "dataset", pd.Series(["bars"] * n, dtype="str"))
    return {
        "Adjustments": _cells(
            kind=pd.Series(["split", "dividend"] * (n // 2), dtype="str"), price_factor=0.5
        ),
        "Doubts": doubts,
        "GapLedger": gaps.assign(cause=causes, open_at_end=False),
        "Liquidations": _cells(event_id=events, side=sides, price=10.0, quantity=1.0 + share),
        "OpenInterest": _cells(
            open_interest=share, open_interest_value=share, unit=pd.Series(["base"] * n)
        ).astype({"unit": "str"}),
        "OrderBook": _cells(level=0, **prices, is_crossed=[True] + [False] * (n - 1)),
        "Quality": _cells(
            expected=[0] + [10] * (n - 1),
            present=present,
            **counts,
            completeness=share,
            score=share,
            grid=pd.Series(["observed"] * n, dtype="str"),
        ),
    }


def _other_samples() -> dict[str, pd.DataFrame]:
    n = len(DAYS) * len(SYMBOLS)
    close = 100.0 + _numbers(n)
    fills = _fills()
    closes = {"open": close, "high": close, "low": close, "close": close}
    holdings = fills.assign(
        kind=pd.Series(["cash", "position"] * 2, dtype="str"),
        quantity=[5.0, 1.0, 3.0, -2.0],
        average_price=1.0,
        mark_price=1.0,
    )
    return {
        "Bars": _cells(**closes, volume=1.0, is_gap=False),
        "Returns": _cells(returns=np.where(_numbers(n) > 0.8, np.nan, _numbers(n, 0.02))),
        "AlphaFeatures": _cells(value_trend=_numbers(n), value_constant=1.0),
        "CandidatePool": _pool(),
        "Correlations": _correlations(),
        "AlphaSignals": _decisions(alpha=_numbers(4), expected_return=_numbers(4, 0.05)),
        "AlphaStreams": _decisions(
            stream=pd.Series(SYMBOLS, dtype="str"),
            side=1,
            cluster=1,
            alpha=0.1,
            expected_return=0.1,
        )[["decided_at", "stream", "symbol", "side", "cluster", "alpha", "expected_return"]],
        "Universe": _decisions(
            first_bar=DECIDED, last_bar=DECIDED, n_bars=[1, 2, 3, 4], is_listed=[True] * 3 + [False]
        ),
        "MarketContext": pd.DataFrame(
            {
                "ts": DAYS,
                "available_at": DAYS,
                "regime": pd.Series(["unknown", "bull", "bull", "neutral", "bear", "bear"]),
                "confidence": 0.5,
                "trend_score": [np.nan, 0.1, 0.2, 0.0, -0.1, -0.2],
                "volatility_percentile": 0.5,
            }
        ).astype({"regime": "str"}),
        "Fills": fills.assign(
            decided_at=DECIDED,
            quantity=[1.0, -2.0, 3.0, 4.0],
            reference_price=10.0,
            price=10.0,
            fee=0.0,
            slippage=0.0,
        ),
        "Trades": fills.assign(
            quantity=1.0, entry_price=1.0, exit_price=2.0, pnl=[1.0, -2.0, 0.5, 0.0], fee=0.0
        ),
        "FinalHoldings": holdings[list(FinalHoldings.to_schema().columns)],
        "Funding": _cells(
            event_id=pd.Series(["e"] * n, dtype="str"), rate=_numbers(n, 1e-4), mark_price=1.0
        ),
        **_venue_samples(),
    }


OTHER: dict[str, type[Contract]] = {
    contract.__name__: contract
    for contract in (
        Adjustments,
        AlphaFeatures,
        AlphaSignals,
        AlphaStreams,
        Bars,
        CandidatePool,
        Correlations,
        Doubts,
        Fills,
        FinalHoldings,
        Funding,
        GapLedger,
        Liquidations,
        MarketContext,
        OpenInterest,
        OrderBook,
        Quality,
        Returns,
        Trades,
        Universe,
    )
}


def _size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(OTHER))
def test_picture_of_each_contract_is_a_small_png(name: str) -> None:
    frame = _other_samples()[name]
    OTHER[name].check_frame(frame, where=name)
    png = picture(name, frame)
    assert png is not None
    assert _size(png) == (594, 243)
    assert len(png) < 100_000
    assert picture(name, frame) == png


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FRAMES))
def test_picture_of_each_reporting_input_is_a_small_png(
    frames: dict[str, pd.DataFrame], name: str
) -> None:
    png = picture(FRAMES[name].__name__, frames[name])
    assert png is not None
    assert _size(png) == (594, 243)
    assert png == picture(FRAMES[name].__name__, frames[name])


@pytest.mark.parametrize("contract", [*OTHER.values(), *FRAMES.values(), ReportFiles])
def test_picture_of_no_rows_is_none(contract: type[Contract]) -> None:
    assert picture(contract.__name__, contract.empty()) is None


def test_picture_of_unknown_contract_draws_its_first_number() -> None:
    frame = pd.DataFrame({"file": ["a", "b"], "sha256": ["x", "y"], "size": [3, 4]})
    assert picture("ReportFiles", frame) is not None


def test_picture_without_numbers_or_names_is_none() -> None:
    assert picture("Unknown", pd.DataFrame({"symbol": ["a"], "note": ["b"]})) is None
    assert picture("Unknown", pd.DataFrame({"value": [1.0]})) is None


def test_picture_depends_on_the_data() -> None:
    frame = _other_samples()["AlphaSignals"]
    assert picture("AlphaSignals", frame) != picture("AlphaSignals", frame.assign(alpha=0.5))


def test_completeness_table_has_a_cell_per_symbol_and_day_in_per_cent() -> None:
    """A day on which nothing was expected is blank, not 0."""
    frame = _other_samples()["Quality"]
    table = completeness_table(frame)
    assert table.shape == (len(SYMBOLS), len(DAYS))
    assert np.isnan(table.loc[SYMBOLS[0], "01-01"])
    shown = frame.loc[(frame["symbol"] == "NA") & (frame["ts"] == DAYS[3]), "completeness"]
    assert table.loc["NA", "01-04"] == 100.0 * shown.item()


def test_picture_of_books_that_are_all_crossed_is_none() -> None:
    frame = _other_samples()["OrderBook"].assign(is_crossed=True)
    assert picture("OrderBook", frame) is None


def test_picture_of_all_missing_values_is_drawn_blank() -> None:
    frame = _other_samples()["Returns"].assign(returns=np.nan)
    assert picture("Returns", frame) is not None
    bars = _other_samples()["Bars"].assign(close=np.nan)
    assert picture("Bars", bars) is not None


def test_picture_leaves_pyplot_alone() -> None:
    import sys

    before = "matplotlib.pyplot" in sys.modules
    picture("Equity", pd.DataFrame({"ts": DAYS, "entrant": "champion", "returns": 0.01}))
    assert ("matplotlib.pyplot" in sys.modules) == before
