"""Reads the declared graph and finds every edge through which a decision could see its own future.

The kinds are ordered by what they know: a decision at w may read series and outcomes of windows
before w only, decisions of w or earlier, itself strictly earlier. Series read series up to w.
Outcomes read anything up to w and their own carried out strictly earlier. Mappings are read back
from Dagster, so this judges what will run, not what was meant.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import dagster as dg

from quant_assets.orchestration.cells import KIND_TAG
from quant_assets.orchestration.partitions import WINDOW

_LATEST: dict[tuple[str, str], int] = {
    ("series", "series"): 0,
    ("decision", "series"): -1,
    ("decision", "outcome"): -1,
    ("decision", "decision"): 0,
    ("outcome", "series"): 0,
    ("outcome", "decision"): 0,
    ("outcome", "outcome"): 0,
}


@dataclass(frozen=True)
class Violation:
    """One edge that breaks the rule; `latest` is the newest window that it reads."""

    downstream: str
    upstream: str
    latest: int | None
    reason: str

    def __str__(self) -> str:
        edge = f"{self.downstream} reads {self.upstream} up to window offset {self.latest}"
        return f"{edge}: {self.reason}"


def _latest_offset(mapping: dg.PartitionMapping | None) -> int | None:
    """Newest window offset of a mapping; None when it is not a bounded window mapping."""
    if not isinstance(mapping, dg.MultiPartitionMapping):
        return None
    window = mapping.downstream_mappings_by_upstream_dimension.get(WINDOW)
    inner = window.partition_mapping if window is not None else None
    return inner.end_offset if isinstance(inner, dg.TimeWindowPartitionMapping) else None


def violations(assets: Iterable[dg.AssetsDefinition]) -> list[Violation]:
    """All edges between window assets through which information could flow backwards in time."""
    definitions = {key: asset for asset in assets for key in asset.keys}
    kinds = {key: _kind(asset, key) for key, asset in definitions.items()}
    found = []
    for key, asset in sorted(definitions.items()):
        for upstream in sorted(asset.asset_deps[key]):
            reason = _judge(asset, kinds, (key, upstream))
            if reason is not None:
                mapping = asset.get_partition_mapping(upstream)
                names = key.to_user_string(), upstream.to_user_string()
                found.append(Violation(*names, _latest_offset(mapping), reason))
    return found


def _kind(asset: dg.AssetsDefinition, key: dg.AssetKey) -> str:
    tags = asset.tags_by_key.get(key, {})
    return tags.get(KIND_TAG, "undeclared")


def _judge(
    asset: dg.AssetsDefinition,
    kinds: dict[dg.AssetKey, str],
    edge: tuple[dg.AssetKey, dg.AssetKey],
) -> str | None:
    """Why an edge is refused, or None."""
    key, upstream = edge
    kind, source = kinds[key], kinds.get(upstream, "undeclared")
    if kind == "venue":
        return None
    if source == "venue":
        return "a window asset may not read an asset without the window dimension"
    if (kind, source) not in _LATEST:
        return f"a {kind} may not read a {source}"
    latest = _latest_offset(asset.get_partition_mapping(upstream))
    if latest is None:
        return "the mapping has no bounded window offsets"
    allowed = -1 if key == upstream else _LATEST[kind, source]
    if latest > allowed:
        return f"a {kind} may read a {source} up to offset {allowed} only"
    return None
