"""Assets to be measured: three without any work, and one that stores frames of a given size."""

import os
from collections.abc import Iterator
from typing import ClassVar

import dagster as dg
import numpy as np
import pandas as pd

from quant_assets.contracts.base import Contract, Timestamp
from quant_assets.core.context import DiscoveryContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.orchestration.cells import IO_MANAGER, CellSpec, window_asset
from quant_assets.orchestration.partitions import shared_grid, split_key, window_mapping
from quant_assets.orchestration.walk import Done, Promise, walk
from quant_assets.storage.manifests import Manifest, RunRecord

ROWS_VARIABLE = "BENCHMARK_ROWS"


class Wide(Contract):
    """As a cell of features: two times, a symbol and four numbers that do not compress."""

    _key: ClassVar[tuple[str, ...]] = ("ts", "symbol")

    ts: Timestamp
    available_at: Timestamp
    symbol: str
    value_a: float
    value_b: float
    value_c: float
    value_d: float


def make_window(context: DiscoveryContext, telemetry: Telemetry) -> pd.DataFrame:
    """Rows of one window, the same each time."""
    del telemetry
    rows, symbols = int(os.environ[ROWS_VARIABLE]), 20
    start = pd.Timestamp(context.window.start)
    bars = pd.date_range(start, periods=rows // symbols, freq="5min").as_unit("us")
    generator = np.random.default_rng(start.year * 12 + start.month)
    ts = pd.Series(bars.repeat(symbols))
    names = np.tile([f"S{number:02d}" for number in range(symbols)], len(bars))
    numbers = {f"value_{name}": generator.normal(size=len(ts)) for name in "abcd"}
    symbol = pd.Series(names, dtype="str")
    return pd.DataFrame({"ts": ts, "available_at": ts, "symbol": symbol, **numbers})


@window_asset(
    CellSpec(
        outs={}, kind="series", group="wide", context=DiscoveryContext, step=make_window, reads={}
    ),
    contract=Wide,
)
def wide(context):
    """A frame that is validated, written, hashed and shown like any other."""
    return walk(context)


def _nothing(asset: str, keys: list[str]) -> Iterator[Done]:
    """What the walker would tell of cells that cost nothing: only Dagster's share is left."""
    record = RunRecord(run_id="", written_at="", environment="", seconds=0.0)
    for key in keys:
        venue, window = split_key(key)
        manifest = Manifest(
            asset=asset,
            venue=venue,
            window=window,
            kind="series",
            contract="Wide",
            columns={"ts": "timestamp[us, tz=UTC]", "value": "double"},
            sha256="0" * 64,
            data_sha256="0" * 64,
            size=0,
            rows=0,
            fingerprint="",
            code_version="",
            config_digest="",
            run=record,
        )
        yield Done(key, {asset: manifest}, unchanged=False, contracts={asset: Wide})


def _trivial(name: str, upstream: str | None) -> dg.AssetsDefinition:
    mapping = window_mapping(-1, 0)
    ins = {upstream: dg.AssetIn(partition_mapping=mapping, input_manager_key=IO_MANAGER)}

    @dg.asset(
        name=name,
        ins=ins if upstream else {},
        partitions_def=shared_grid(),
        backfill_policy=dg.BackfillPolicy.single_run(),
        io_manager_key=IO_MANAGER,
        code_version="1",
        group_name="trivial",
    )
    def body(context, **_upstream):
        keys = list(context.partition_keys)
        return Promise(lambda: _nothing(name, keys))

    return body


def trivial_assets() -> list[dg.AssetsDefinition]:
    """`first` → `second` → `third`, each of which also reads the window before."""
    return [_trivial("first", None), _trivial("second", "first"), _trivial("third", "second")]
