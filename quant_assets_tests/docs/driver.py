"""Runs several `quant-assets` commands in one process, as the console script would.

    python -m quant_assets_tests.docs.driver ANSWERS < COMMANDS

COMMANDS is a JSON list of lists of words (without the program's name); ANSWERS becomes a JSON list
of exit code, standard output and standard error.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

from quant_assets.cli.main import main


def run(words: list[str]) -> dict[str, object]:
    """One command, with everything that it prints."""
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["quant-assets", *words]
    code: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code
    return {"code": code, "stdout": out.getvalue(), "stderr": err.getvalue()}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(json.dumps([run(words) for words in json.load(sys.stdin)]), encoding="utf-8")
