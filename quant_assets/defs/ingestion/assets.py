"""Raw venue data and their cleaned series."""

from quant_assets.adapters.providers.fetch import fetch_window
from quant_assets.contracts.bars import Bars
from quant_assets.contracts.funding import Funding
from quant_assets.contracts.reference_returns import ReferenceReturns
from quant_assets.core.context import IngestionContext
from quant_assets.orchestration.cells import CellSpec, window_asset
from quant_assets.orchestration.partitions import this_window
from quant_assets.orchestration.walk import walk
from quant_assets.quant.market.bars import clean_bars
from quant_assets.quant.market.funding import clean_funding

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


def _clean(step, source: str) -> CellSpec:
    return CellSpec(
        outs={},
        kind="series",
        group="ingestion",
        context=IngestionContext,
        step=step,
        reads={source: this_window()},
    )


@window_asset(_raw("bars"), contract=Bars)
def raw_bars(context):
    """Bars as the provider publishes them; grain: bar x symbol; prices as published."""
    return walk(context)


@window_asset(_raw("funding"), contract=Funding)
def raw_funding(context):
    """Funding settlements as published; grain: settlement x symbol; empty where there is none."""
    return walk(context)


@window_asset(_raw("reference"), contract=ReferenceReturns)
def reference_returns(context):
    """Benchmark and risk-free returns on the bars' clock; assumed values are marked."""
    return walk(context)


@window_asset(_clean(clean_bars, "raw_bars"), contract=Bars)
def bars(context, raw_bars):
    """Bars on the venue's grid; a gap is a row with NaN prices, never a filled one."""
    return walk(context, raw_bars=raw_bars)


@window_asset(_clean(clean_funding, "raw_funding"), contract=Funding)
def funding(context, raw_funding):
    """Funding at its exact settlement times; never resampled."""
    return walk(context, raw_funding=raw_funding)
