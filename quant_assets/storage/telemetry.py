"""The default telemetry sink: one long parquet file per stage instance of a run.

Telemetry is about a run, not a result: nothing in it is hashed, and a result never reads it.
"""

from collections.abc import Iterable, Mapping

import pandas as pd

from quant_assets.storage.frames import encode_frame
from quant_assets.storage.paths import Cell, Layout, encode
from quant_assets.storage.writer import write_atomically

_OWN = ("kind", "scope")


def telemetry_frame(records: Iterable[tuple[Cell, Iterable[Mapping[str, object]]]]) -> pd.DataFrame:
    """Long frame (asset, venue, window, kind, scope, name, value, text).

    Numbers go to `value`, words to `text`; the other one is NaN or empty.
    """
    rows = []
    for cell, logged in records:
        for entry in logged:
            where = (cell.asset, cell.venue, cell.window, str(entry["kind"]), str(entry["scope"]))
            for name, value in entry.items():
                if name in _OWN:
                    continue
                number = float(value) if isinstance(value, int | float) else float("nan")
                text = "" if isinstance(value, int | float) else str(value)
                rows.append((*where, name, number, text))
    columns = ["asset", "venue", "window", "kind", "scope", "name", "value", "text"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({name: "float64" if name == "value" else "str" for name in columns})


def write_telemetry(layout: Layout, run_id: str, frame: pd.DataFrame) -> None:
    """Store what one stage instance logged under `runs/<run_id>/telemetry/`.

    frame : as `telemetry_frame` makes it, of one asset and venue, with at least one row
    """
    asset, venue = (str(frame[name].iloc[0]) for name in ("asset", "venue"))
    name = f"{encode(asset)}--{encode(venue)}.parquet"
    write_atomically(layout.run(run_id) / "telemetry" / name, encode_frame(frame))
