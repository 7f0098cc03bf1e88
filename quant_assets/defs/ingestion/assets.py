"""Raw venue data and their cleaned series."""

from quant_assets.adapters.providers.fetch import fetch_window
from quant_assets.contracts.adjustments import Adjustments
from quant_assets.contracts.bars import Bars
from quant_assets.contracts.doubts import Doubts
from quant_assets.contracts.funding import Funding
from quant_assets.contracts.gap_ledger import GapLedger
from quant_assets.contracts.liquidations import Liquidations
from quant_assets.contracts.open_interest import OpenInterest
from quant_assets.contracts.order_book import OrderBook
from quant_assets.contracts.quality import Quality
from quant_assets.contracts.reference_returns import ReferenceReturns
from quant_assets.contracts.sessions import Sessions
from quant_assets.core.context import IngestionContext
from quant_assets.orchestration.cells import CellSpec, window_asset
from quant_assets.orchestration.partitions import History, lookback, this_window, with_window_before
from quant_assets.orchestration.walk import walk
from quant_assets.quant.market.adjust import clean_adjustments
from quant_assets.quant.market.bars import clean_bars
from quant_assets.quant.market.doubts import LOOKBACK_BARS, doubts_window
from quant_assets.quant.market.funding import clean_funding
from quant_assets.quant.market.gap_ledger import gap_ledger_window
from quant_assets.quant.market.liquidations import clean_liquidations
from quant_assets.quant.market.open_interest import clean_open_interest
from quant_assets.quant.market.order_book import clean_order_book
from quant_assets.quant.market.quality import quality_window

PROVIDERS = ("quant_assets.adapters.providers",)


def _raw(dataset: str) -> CellSpec:
    return CellSpec(
        outs={},
        kind="series",
        group="ingestion",
        context=IngestionContext,
        step=fetch_window,
        reads={},
        plugins=PROVIDERS,
        dataset=dataset,
    )


def _made(step, *this: str, **histories: History) -> CellSpec:
    """A series made from the same window of `this`, and from `histories`."""
    return CellSpec(
        outs={},
        kind="series",
        group="ingestion",
        context=IngestionContext,
        step=step,
        reads={name: this_window() for name in this} | histories,
    )


@window_asset(_raw("bars"), contract=Bars)
def raw_bars(context):
    """Bars as the provider publishes them; grain: bar x symbol; prices as published."""
    return walk(context)


@window_asset(_raw("funding"), contract=Funding)
def raw_funding(context):
    """Funding settlements as published; grain: settlement x symbol; empty where there is none."""
    return walk(context)


@window_asset(_raw("open_interest"), contract=OpenInterest)
def raw_open_interest(context):
    """Open interest as published; grain: snapshot x symbol; empty where there is none."""
    return walk(context)


@window_asset(_raw("liquidations"), contract=Liquidations)
def raw_liquidations(context):
    """Forced orders as published; grain: event x symbol; empty where there are none."""
    return walk(context)


@window_asset(_raw("order_book"), contract=OrderBook)
def raw_order_book(context):
    """Book snapshots as published; grain: snapshot x symbol x level; empty where there is none."""
    return walk(context)


@window_asset(_raw("adjustments"), contract=Adjustments)
def raw_adjustments(context):
    """Splits, dividends and denomination changes as published; grain: event x symbol x kind."""
    return walk(context)


@window_asset(_raw("doubts"), contract=Doubts)
def raw_doubts(context):
    """Rows that were set aside or mended when the deliveries were read, with file and line."""
    return walk(context)


@window_asset(_raw("reference"), contract=ReferenceReturns)
def reference_returns(context):
    """Benchmark and risk-free returns on the bars' clock; assumed values are marked."""
    return walk(context)


@window_asset(_raw("sessions"), contract=Sessions)
def sessions(context):
    """Bars that the exchange's calendar has room for; empty where no calendar is known."""
    return walk(context)


@window_asset(_made(clean_bars, "raw_bars", "sessions"), contract=Bars)
def bars(context, raw_bars, sessions):
    """Bars on the venue's grid; a gap is a row with NaN prices, never a filled one."""
    return walk(context, raw_bars=raw_bars, sessions=sessions)


@window_asset(_made(clean_funding, "raw_funding"), contract=Funding)
def funding(context, raw_funding):
    """Funding at its exact settlement times; never resampled."""
    return walk(context, raw_funding=raw_funding)


@window_asset(_made(clean_open_interest, "raw_open_interest"), contract=OpenInterest)
def open_interest(context, raw_open_interest):
    """Open interest at its exact snapshot times; never filled, never resampled."""
    return walk(context, raw_open_interest=raw_open_interest)


@window_asset(_made(clean_liquidations, "raw_liquidations"), contract=Liquidations)
def liquidations(context, raw_liquidations):
    """Forced orders at their exact times; one that was delivered twice is one row."""
    return walk(context, raw_liquidations=raw_liquidations)


@window_asset(_made(clean_order_book, "raw_order_book"), contract=OrderBook)
def order_book(context, raw_order_book):
    """Book snapshots at their exact times; a crossed or locked one is marked on all its rows."""
    return walk(context, raw_order_book=raw_order_book)


@window_asset(_made(clean_adjustments, "raw_adjustments"), contract=Adjustments)
def adjustments(context, raw_adjustments):
    """Factors by which earlier prices are adjusted on read; the stored bars stay as published."""
    return walk(context, raw_adjustments=raw_adjustments)


@window_asset(
    _made(
        gap_ledger_window,
        "raw_doubts",
        bars=with_window_before(),
        sessions=with_window_before(),
    ),
    contract=GapLedger,
)
def gap_ledger(context, raw_doubts, bars, sessions):
    """Runs of missing bars with length and cause, across windows' edges; grain: run x symbol."""
    return walk(context, raw_doubts=raw_doubts, bars=bars, sessions=sessions)


@window_asset(
    _made(
        doubts_window,
        "raw_doubts",
        "order_book",
        "sessions",
        bars=lookback(lambda _venue: LOOKBACK_BARS),
        adjustments=lookback(lambda _venue: LOOKBACK_BARS),
        open_interest=with_window_before(),
    ),
    contract=Doubts,
)
def doubts(context, raw_doubts, order_book, sessions, bars, adjustments, open_interest):
    """Every row that was set aside, mended or flagged, and why; grain: row x reason."""
    return walk(
        context,
        raw_doubts=raw_doubts,
        order_book=order_book,
        sessions=sessions,
        bars=bars,
        adjustments=adjustments,
        open_interest=open_interest,
    )


@window_asset(
    _made(quality_window, "doubts", bars=with_window_before(), sessions=with_window_before()),
    contract=Quality,
)
def quality(context, doubts, bars, sessions):
    """Completeness and score of the bars; grain: UTC day x symbol."""
    return walk(context, doubts=doubts, bars=bars, sessions=sessions)
