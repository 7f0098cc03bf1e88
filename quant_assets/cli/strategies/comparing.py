"""What differs between stored runs, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

WORDS = {
    "strategy": "logic or settings of the strategy",
    "parameters": "parameters",
    "bars": "bars",
    "start": "the first bar that is traded",
    "execution": "fills and costs",
    "capital": "capital",
    "benchmark": "benchmark",
}


def differences(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line per run after the first: what went in that differs from the first one."""
    first, lines = records[0], []
    for record in records[1:]:
        changed = [
            words
            for part, words in WORDS.items()
            if record["hashes"].get(part) != first["hashes"].get(part)
        ]
        same = record["hashes"]["result"] == first["hashes"]["result"]
        outcome = "the same trades and equity" if same else "another result"
        what = ", ".join(changed) if changed else "nothing that went in"
        lines.append(
            f"{record['run_hash'][:8]} differs from {first['run_hash'][:8]} in {what}: {outcome}"
        )
    return lines
