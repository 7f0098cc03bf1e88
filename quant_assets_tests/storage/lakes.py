"""A small lake with the shape of the real one: raw data, series, a decision chain, an outcome."""

import pandas as pd

from quant_assets.storage.manifests import Manifest
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets_tests.storage.samples import bars, commit

WINDOWS = ("2020-01-01", "2020-02-01", "2020-03-01")


def cell(asset: str, window: str) -> Cell:
    """A cell of the venue `v`."""
    return Cell(asset, "v", window)


def read(store: SnapshotStore, asset: str, *windows: str) -> dict[str, dict[str, str]]:
    """The `inputs` entry of cells that are current now."""
    return {asset: {window: store.require(cell(asset, window)).sha256 for window in windows}}


def weights(window: str, *, weight: float) -> pd.DataFrame:
    """Champion and equal_weight, each of two symbols, decided at the window's start."""
    when = pd.Series(pd.to_datetime([f"{window}T00:00:00Z"] * 4)).dt.as_unit("us")
    entrants = ["champion", "champion", "equal_weight", "equal_weight"]
    return pd.DataFrame(
        {
            "decided_at": when,
            "entrant": pd.Series(entrants, dtype="str"),
            "symbol": pd.Series(["AAPL", "MSFT"] * 2, dtype="str"),
            "weight": [weight, 1 - weight, 0.5, 0.5],
            "follows": pd.Series(["equal_weight"] * 2 + [""] * 2, dtype="str"),
        }
    )


def build(store: SnapshotStore) -> dict[str, Manifest]:
    """Commit raw_bars -> bars -> returns of three windows, and the chain of two decisions.

    `target_weights(w)` reads the returns before w; `portfolio_weights(w)` reads the target and
    itself one window before; `equity(w)` reads the weights and the bars of w.
    """
    made = {}
    for window in WINDOWS:
        made[f"raw_bars {window}"] = commit(
            store, cell("raw_bars", window), bars(4, first=window), source_digest="5" * 64
        )
        for asset, source in (("bars", "raw_bars"), ("returns", "bars")):
            frame = bars(4, first=window, scale=1.0 if asset == "bars" else 0.01)
            frame["is_gap"] = False  # so that no two assets share an object
            made[f"{asset} {window}"] = commit(
                store, cell(asset, window), frame, inputs=read(store, source, window)
            )
    for number, window in enumerate(WINDOWS[1:], 1):
        target = weights(window, weight=0.5).query("entrant != 'champion'").reset_index(drop=True)
        commit(
            store,
            cell("target_weights", window),
            target.drop(columns="follows"),
            inputs=read(store, "returns", *WINDOWS[:number]),
            kind="decision",
        )
        chain = read(store, "portfolio_weights", WINDOWS[1]) if number == 2 else {}
        made[f"portfolio_weights {window}"] = commit(
            store,
            cell("portfolio_weights", window),
            weights(window, weight=0.6),
            inputs={**read(store, "target_weights", window), **chain},
            kind="decision",
        )
    return made
