"""From one value back to the raw rows behind it: rows, versions, and when each was known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from quant_assets.core.errors import ConfigError, StorageError
from quant_assets.storage.lineage import LineageNode, explain
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore

NEWEST_ROWS = 3
MAX_CELLS_READ = 24
_TRUTH = {"true": True, "false": False}
_LISTED = 12


@dataclass(frozen=True)
class Evidence:
    """The newest rows of one upstream asset about the same thing.

    `cell` and `sha256` are the version of the newest window that was read; `steps` is how far the
    asset lies upstream, `windows` how many of its cells were read. `matched_on` names the columns
    by which rows were chosen. `note` says why there are none.
    """

    asset: str
    steps: int
    windows: int
    cell: Cell
    sha256: str
    verified: bool
    superseded: bool
    matched_on: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    note: str = ""

    @property
    def available_at(self) -> str | None:
        """When the newest of the rows could be known."""
        times = [row.get("available_at") or row.get("decided_at") for row in self.rows]
        return max((time for time in times if time), default=None)


@dataclass(frozen=True)
class ValueLineage:
    """Rows of one cell, and for each upstream asset, nearest first, the rows behind them.

    `known_at` is when the rows were known or decided: nothing that is shown is younger.
    """

    cell: Cell
    sha256: str
    where: dict[str, str]
    known_at: str | None
    rows: tuple[dict[str, Any], ...]
    upstream: tuple[Evidence, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "cell": vars(self.cell),
            "sha256": self.sha256,
            "where": self.where,
            "known_at": self.known_at,
            "rows": list(self.rows),
            "upstream": [
                {**vars(found), "cell": vars(found.cell), "available_at": found.available_at}
                for found in self.upstream
            ],
        }

    def lines(self) -> Iterator[str]:
        """The value and its evidence for people."""
        chosen = ", ".join(f"{name}={value}" for name, value in self.where.items())
        yield f"{self.cell}  {self.sha256[:12]}…  where {chosen}; known at {self.known_at}"
        yield from (_row_line(row, "  ") for row in self.rows)
        for found in self.upstream:
            state = "" if found.verified else ", NOT VERIFIED"
            state += ", superseded" if found.superseded else ""
            many = f", newest of {found.windows} windows" if found.windows > 1 else ""
            indent = "  " * found.steps
            yield f"{indent}<- {found.cell}  {found.sha256[:12]}…{many}{state}"
            if found.note:
                yield f"{indent}     {found.note}"
            yield from (_row_line(row, indent + "     ") for row in found.rows)


def _row_line(row: dict[str, Any], indent: str) -> str:
    return indent + "  ".join(f"{name}={_short(value)}" for name, value in row.items())


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def explain_value(
    store: SnapshotStore, asset: str, venue: str, window: str, *, where: Mapping[str, str]
) -> ValueLineage:
    """The rows of a cell that match `where`, and the newest rows behind them in every input.

    where : column -> value as text, for example ``{"entrant": "champion", "symbol": "AAPL"}``.

    Upstream rows are of the same symbols (and of the same other keys where the asset has them),
    in the versions that were read, and none is younger than the rows to explain. Raises
    `ConfigError` for an unknown column, or when no row matches; the message lists values.
    """
    cell = Cell(asset, venue, window)
    root = explain(store, cell)
    frame = store.read(cell)
    rows = _select(frame, where, cell)
    wanted = {name: set(rows[name].astype(str)) for name in where if name in rows.columns}
    if "symbol" in rows.columns:
        wanted["symbol"] = set(rows["symbol"])
    if "entrant" in wanted and "follows" in rows.columns:
        wanted["entrant"] |= set(rows["follows"])
    known_at = _known_at(rows)
    groups = _by_asset(root)
    return ValueLineage(
        cell=cell,
        sha256=root.sha256,
        where=dict(where),
        known_at=known_at.isoformat() if known_at is not None else None,
        rows=_plain_rows(rows),
        upstream=tuple(_evidence(store, steps, nodes, wanted, known_at) for steps, nodes in groups),
    )


def _select(frame: pd.DataFrame, where: Mapping[str, str], cell: Cell) -> pd.DataFrame:
    rows = frame
    for name, text in where.items():
        if name not in frame.columns:
            raise ConfigError(f"{cell} has no column {name!r}; columns: {', '.join(frame.columns)}")
        chosen = rows[rows[name] == _parse(name, text, frame[name].dtype)]
        if chosen.empty:
            values = sorted({str(value) for value in rows[name]})
            shown = ", ".join(values[:_LISTED]) + (", …" if len(values) > _LISTED else "")
            raise ConfigError(
                f"{cell} has no row with {name} = {text!r}; "
                f"its {len(values)} values: {shown or 'none'}"
            )
        rows = chosen
    return rows


def _parse(name: str, text: str, dtype: Any) -> object:
    try:
        if dtype.kind == "M":
            moment = pd.Timestamp(text)
            return moment.tz_localize("UTC") if moment.tz is None else moment
        if dtype.kind == "b":
            return _TRUTH[text.lower()]
        return float(text) if dtype.kind in "fiu" else text
    except (ValueError, KeyError):
        raise ConfigError(f"{text!r} is not a value of column {name!r} ({dtype})") from None


def _known_at(rows: pd.DataFrame) -> pd.Timestamp | None:
    for name in ("available_at", "decided_at"):
        if name in rows.columns and rows[name].notna().any():
            newest: pd.Timestamp = rows[name].max()
            return newest
    return None


def _by_asset(root: LineageNode) -> list[tuple[int, list[LineageNode]]]:
    """Per upstream asset: its fewest steps from the root, and its cells, newest window first."""
    steps: dict[int, int] = {id(root): 0}
    found: dict[str, list[LineageNode]] = {}
    for node in root.walk():
        for child in node.inputs:
            steps.setdefault(id(child), steps[id(node)] + 1)
        if node is not root:
            found.setdefault(node.cell.asset, []).append(node)
    groups = []
    for nodes in found.values():
        newest = sorted(nodes, key=lambda node: node.cell.window, reverse=True)
        groups.append((min(steps[id(node)] for node in nodes), newest))
    return sorted(groups, key=lambda group: (group[0], group[1][0].cell.asset))


def _evidence(
    store: SnapshotStore,
    steps: int,
    nodes: list[LineageNode],
    wanted: dict[str, set[str]],
    known_at: pd.Timestamp | None,
) -> Evidence:
    """Newest matching rows of one asset, read window by window until there are enough."""
    found: list[pd.DataFrame] = []
    matched: tuple[str, ...] = ()
    note, source = "", nodes[0]
    for node in nodes[:MAX_CELLS_READ]:
        try:
            frame = store.read_object(node.sha256, where=str(node.cell))
        except StorageError as error:
            note = str(error)
            continue
        on, rows = _matching(_known(frame, known_at), wanted)
        if rows.empty:
            continue
        if not found:
            source, matched = node, on
        found.insert(0, rows.tail(NEWEST_ROWS))
        if sum(len(part) for part in found) >= NEWEST_ROWS:
            break
    if not found and not note:
        asked = ", ".join(f"{name} in {sorted(values)}" for name, values in wanted.items())
        note = f"no row with {asked} was known then"
    newest = pd.concat(found, ignore_index=True).tail(NEWEST_ROWS) if found else pd.DataFrame()
    return Evidence(
        asset=source.cell.asset,
        steps=steps,
        windows=len(nodes),
        cell=source.cell,
        sha256=source.sha256,
        verified=all(node.verified for node in nodes),
        superseded=source.superseded,
        matched_on=matched,
        rows=_plain_rows(newest),
        note=note,
    )


def _known(frame: pd.DataFrame, known_at: pd.Timestamp | None) -> pd.DataFrame:
    clock = next((name for name in ("available_at", "decided_at") if name in frame.columns), None)
    if clock is None or known_at is None:
        return frame
    return frame[frame[clock] <= known_at].sort_values(clock, kind="stable")


def _matching(
    frame: pd.DataFrame, wanted: dict[str, set[str]]
) -> tuple[tuple[str, ...], pd.DataFrame]:
    """Rows with the wanted values; keys other than the symbol are dropped when nothing has them."""
    columns = [name for name in wanted if name in frame.columns]
    for chosen in (columns, [name for name in columns if name == "symbol"]):
        rows = frame
        for name in chosen:
            rows = rows[rows[name].astype(str).isin(wanted[name])]
        if len(rows):
            return tuple(chosen), rows
    return (), frame.head(0)


def _plain_rows(rows: pd.DataFrame) -> tuple[dict[str, Any], ...]:
    """Rows as JSON values: times as text, NaN as None."""
    return tuple(
        {str(name): _plain(value) for name, value in row.items()} for row in rows.to_dict("records")
    )


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
