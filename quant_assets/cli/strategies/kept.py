"""Evidence of a run on disk: what one command found out stands in the report of the next."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from quant_assets.cli.strategies.storing import RECORD, StoredRun, read_record
from quant_assets.storage.paths import encode

if TYPE_CHECKING:
    from quant_assets.cli.strategies.running import StrategyRun

TABLES = {
    "audit": "execution",
    "trials": "",
    "walk_forward": "",
    "walk_equity": "ts",
    "monte_carlo": "",
    "bands": "ts",
    "cost_surface": "",
    "capacity": "",
    "vault": "",
    "diff": "",
}
WORDS = (
    *("objective", "scores", "walk_objective", "bands_note"),
    *("capacity_note", "vault_note", "diff_note"),
)


def evidence_tables(more: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Tables of the evidence, with their index as a column where it says something."""
    found = {}
    for name, index in TABLES.items():
        table = more.get(name)
        if table is not None:
            found[name] = table.rename_axis(index).reset_index() if index else table
    return found


def evidence_record(more: Mapping[str, Any]) -> dict[str, Any]:
    """What `run.json` says of the evidence."""
    found: dict[str, Any] = {
        "evidence": sorted(name for name in (*TABLES, "leaks") if more.get(name) is not None)
    }
    found |= {name: more[name] for name in WORDS if name in more}
    if more.get("leaks") is not None:
        leaks = more["leaks"]
        found |= {"leak_check": leaks.verdict, "trusted": leaks.trusted, "leaks": leaks.to_dict()}
    if more.get("trials") is not None:
        found["n_trials"] = len(more["trials"])
    return found


def kept_evidence(folder: Path, run: "StrategyRun") -> dict[str, Any]:
    """What was found out about the same run before; nothing where its result was another."""
    place = folder / encode(run.name) / run.run_hash
    if not (place / RECORD).is_file():
        return {}
    stored = StoredRun(place, read_record(place))
    record = stored.record
    if record["hashes"]["result"] != run.hashes["result"]:
        return {}
    found: dict[str, Any] = {name: record[name] for name in WORDS if name in record}
    for name, index in TABLES.items():
        if name in record["evidence"]:
            table = stored.frame(name)
            found[name] = table.set_index(index) if index else table
    if "leaks" in record:
        found["leaks"] = _leaks(record["leaks"])
    return found


def _leaks(given: Mapping[str, Any]) -> Any:
    """A `LeakReport` of what its `to_dict` gave."""
    from quant_assets.quant.leaks.report import Leak, LeakReport, StartUp

    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    for name in ("leaks", "unstable"):
        values[name] = tuple(
            Leak(**{**leak, "source": tuple(leak["source"])}) for leak in given[name]
        )
    values["start_up"] = tuple(StartUp(**part) for part in given["start_up"])
    del values["verdict"], values["trusted"]
    return LeakReport(**values)
