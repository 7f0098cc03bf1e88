"""Writes one file over and over in a child process that is killed at a random moment.

Run as a script: `killer.py FOLDER ROUNDS SEED`. Prints one JSON object. It imports nothing heavy,
because it forks.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from quant_assets.storage.writer import sweep_temps, write_atomically

SIZE = 200_000


def write_for_ever(path: Path) -> None:
    """Alternate between files that are all A and all B."""
    while True:
        for letter in (b"A", b"B"):
            write_atomically(path, letter * SIZE)


def main() -> None:
    """Kill a writer `rounds` times and report what was found after each kill."""
    folder, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    path, draw = folder / "value", random.Random(seed)  # noqa: S311 - chooses moments, no secrets
    write_atomically(path, b"A" * SIZE)
    damaged, swept, left = 0, 0, 0
    for _ in range(rounds):
        child = os.fork()
        if child == 0:
            write_for_ever(path)
        time.sleep(draw.uniform(0.001, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        damaged += path.read_bytes() not in (b"A" * SIZE, b"B" * SIZE)
        swept += sweep_temps(folder)
        left += len(list(folder.iterdir())) - 1
    print(json.dumps({"damaged": damaged, "swept": swept, "left": left}))  # noqa: T201 - a script


if __name__ == "__main__":
    main()
