"""From a cell back to raw data: which versions it was made from, and whether they are intact."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from quant_assets.core.errors import StorageError
from quant_assets.storage.frames import decode_table
from quant_assets.storage.manifests import Manifest
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore, time_span

_Key = tuple[Cell, str]


@dataclass(frozen=True, eq=False)
class LineageNode:
    """One version of a cell: what was read, which may no longer be the current version.

    `superseded` marks such an older version; its manifest is gone, so code, source and inputs are
    unknown. `verified` is True when the object's bytes still have their hash. `truncated` is True
    when the inputs were left out because of `depth`. Nodes are shared: the lineage is a DAG.
    """

    cell: Cell
    sha256: str
    rows: int | None
    available_at_max: str | None
    code_version: str
    source_digest: str
    verified: bool
    superseded: bool
    note: str = ""
    truncated: bool = False
    inputs: tuple["LineageNode", ...] = field(default=(), repr=False)

    @property
    def key(self) -> str:
        """Name of this version, unique within a lineage."""
        return f"{self.cell}@{self.sha256[:12]}"

    def walk(self) -> Iterator["LineageNode"]:
        """Yield the node itself and all behind it, each once, nearest first."""
        seen, row = {id(self)}, [self]
        while row:
            yield from row
            following = []
            for node in (child for parent in row for child in parent.inputs):
                if id(node) not in seen:
                    seen.add(id(node))
                    following.append(node)
            row = following

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: the root's key, and every version by key."""
        return {"root": self.key, "cells": {node.key: node._plain() for node in self.walk()}}

    def _plain(self) -> dict[str, Any]:
        return {
            "asset": self.cell.asset,
            "venue": self.cell.venue,
            "window": self.cell.window,
            "sha256": self.sha256,
            "rows": self.rows,
            "available_at_max": self.available_at_max,
            "code_version": self.code_version,
            "source_digest": self.source_digest,
            "verified": self.verified,
            "superseded": self.superseded,
            "truncated": self.truncated,
            "note": self.note,
            "inputs": [node.key for node in self.inputs],
        }

    def label(self) -> str:
        """One line: cell, version, rows, when it could be known, code or source, state."""
        facts = [f"{self.sha256[:12]}…"]
        facts += [f"{self.rows} rows"] if self.rows is not None else []
        facts += [f"known by {self.available_at_max}"] if self.available_at_max else []
        facts += [f"code {self.code_version[:8]}"] if self.code_version else []
        facts += [f"source {self.source_digest[:8]}"] if self.source_digest else []
        facts.append("verified" if self.verified else "NOT VERIFIED")
        facts += ["superseded: a newer version is current"] if self.superseded else []
        facts += [self.note] if self.note else []
        return f"{self.cell}  {', '.join(facts)}"

    def lines(self) -> Iterator[str]:
        """The lineage as a tree: per input asset the newest window, followed to its raw data.

        A version that was shown before is not followed again, nor is an asset's own past.
        """
        yield self.label()
        yield from _branches(self, "", {id(self)})


def _branches(node: LineageNode, indent: str, shown: set[int]) -> Iterator[str]:
    groups: dict[str, list[LineageNode]] = {}
    for child in node.inputs:
        groups.setdefault(child.cell.asset, []).append(child)
    for number, asset in enumerate(groups):
        group = sorted(groups[asset], key=lambda child: child.cell.window)
        newest, last = group[-1], number == len(groups) - 1
        again = id(newest) in shown and bool(newest.inputs)
        above = "  (inputs: see above)" if again else ""
        yield f"{indent}{'└── ' if last else '├── '}{newest.label()}{_more(group)}{above}"
        if asset != node.cell.asset and not again:
            shown.add(id(newest))
            yield from _branches(newest, indent + ("    " if last else "│   "), shown)


def _more(group: list[LineageNode]) -> str:
    """What stands for the windows before the newest one."""
    if len(group) == 1:
        return ""
    bad = sum(not node.verified for node in group[:-1])
    old = sum(node.superseded for node in group[:-1])
    remarks = [f"and {len(group) - 1} windows from {group[0].cell.window}"]
    remarks += [f"{bad} NOT VERIFIED"] if bad else []
    remarks += [f"{old} superseded"] if old else []
    return f"  ({', '.join(remarks)})"


def explain(store: SnapshotStore, cell: Cell, *, depth: int | None = None) -> LineageNode:
    """The lineage of a cell's current version, back to raw cells.

    depth : how many steps to go back; None for all, 0 for the cell alone.

    Raises `MissingCellError` when the cell was never committed.
    """
    manifest = store.require(cell)
    root: _Key = (cell, manifest.sha256)
    distance = _distances(store, root, depth)
    made: dict[_Key, LineageNode] = {}
    pending: list[tuple[_Key, bool]] = [(root, False)]
    open_keys: set[_Key] = set()
    while pending:
        key, ready = pending.pop()
        if key in made:
            continue
        keys = _inputs(store, key)
        cut = depth is not None and distance[key] >= depth and bool(keys)
        children = [] if cut else keys
        if ready:
            made[key] = _node(store, key, tuple(made[child] for child in children), truncated=cut)
            open_keys.discard(key)
            continue
        if key in open_keys:
            raise StorageError(f"{key[0]} depends on itself: its manifests were tampered with")
        open_keys.add(key)
        pending.append((key, True))
        pending.extend((child, False) for child in children if child not in made)
    return made[root]


def _distances(store: SnapshotStore, root: _Key, depth: int | None) -> dict[_Key, int]:
    """Fewest steps from the root to each version within `depth`."""
    distance, row = {root: 0}, [root]
    while row and (depth is None or distance[row[0]] < depth):
        following = []
        for key in row:
            for child in _inputs(store, key):
                if child not in distance:
                    distance[child] = distance[key] + 1
                    following.append(child)
        row = following
    return distance


def _current(store: SnapshotStore, key: _Key) -> Manifest | None:
    """The manifest of a version, if it is still the current one."""
    manifest = store.manifest(key[0])
    return manifest if manifest is not None and manifest.sha256 == key[1] else None


def _inputs(store: SnapshotStore, key: _Key) -> list[_Key]:
    manifest = _current(store, key)
    if manifest is None:
        return []
    return [
        (Cell(asset, *_place(key[0].venue, window)), sha256)
        for asset, windows in sorted(manifest.inputs.items())
        for window, sha256 in sorted(windows.items())
    ]


def _place(venue: str, window: str) -> tuple[str, str]:
    """Venue and window of an input; assets over all venues write `venue|window`."""
    other, bar, key = window.partition("|")
    return (other, key) if bar else (venue, window)


def _node(
    store: SnapshotStore, key: _Key, inputs: tuple[LineageNode, ...], *, truncated: bool
) -> LineageNode:
    cell, sha256 = key
    manifest = _current(store, key)
    note, data = "", b""
    try:
        data = store.read_bytes(sha256, where=str(cell))
    except StorageError as error:
        gone = not store.layout.object(sha256).exists()
        note = "its object is gone" if gone else f"its object is damaged: {error}"
    if manifest is not None:
        return LineageNode(
            cell=cell,
            sha256=sha256,
            rows=manifest.rows,
            available_at_max=manifest.available_at_max,
            code_version=manifest.code_version,
            source_digest=manifest.source_digest,
            verified=not note,
            superseded=False,
            note=note or manifest.empty_reason,
            truncated=truncated,
            inputs=inputs,
        )
    table = decode_table(data) if data else None
    return LineageNode(
        cell=cell,
        sha256=sha256,
        rows=table.num_rows if table is not None else None,
        available_at_max=time_span(table)["available_at_max"] if table is not None else None,
        code_version="",
        source_digest="",
        verified=not note,
        superseded=True,
        note=note,
    )
