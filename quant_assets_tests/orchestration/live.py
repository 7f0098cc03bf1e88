"""A real webserver and daemon on a throw-away root, spoken to through GraphQL."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LAUNCH = """
mutation($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on PartitionKeysNotFoundError { message }
  }
}
"""
STATUS = """
query($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status error { message } }
  }
}
"""
RUNS = """
query($tag: String!) {
  runsOrError(filter: {tags: [{key: "dagster/backfill", value: $tag}]}) {
    ... on Runs { results { runId status } }
  }
}
"""


# The daemon as it is, but for how often it looks at backfills: Dagster has no setting for that.
DAEMON = """
import sys
import dagster._daemon.controller as controller
from dagster._daemon.cli import main
controller.DEFAULT_DAEMON_INTERVAL_SECONDS = int(sys.argv.pop(1))
main()
"""
STOCK_TICK_SECONDS = 30

LOCATIONS = """
query {
  workspaceOrError {
    ... on Workspace { locationEntries { loadStatus locationOrLoadError {
      __typename ... on PythonError { message } } } }
  }
}
"""


class LiveDagster:
    """The two processes and a GraphQL client."""

    def __init__(self, port: int, home: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.home = home

    def post(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """One GraphQL request; errors in the answer are raised."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                payload = json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{error}: {error.read().decode()[:2000]}") from error
        if payload.get("errors"):
            raise RuntimeError(payload["errors"])
        return payload["data"]

    def backfill(self, assets: list[str], keys: list[str], **tags: str) -> str:
        """Launch a backfill of `assets` over partition `keys`, its runs with `tags`; its id."""
        params = {
            "assetSelection": [{"path": [name]} for name in assets],
            "partitionNames": keys,
            "tags": [{"key": f"dagster/{key}", "value": value} for key, value in tags.items()],
        }
        data = self.post(LAUNCH, {"params": params})["launchPartitionBackfill"]
        if data["__typename"] != "LaunchBackfillSuccess":
            raise RuntimeError(data)
        return data["backfillId"]

    def status(self, backfill_id: str) -> str:
        """Status of one backfill."""
        return self.post(STATUS, {"id": backfill_id})["partitionBackfillOrError"]["status"]

    def runs(self, backfill_id: str) -> list[dict[str, str]]:
        """Runs that a backfill launched, retries included."""
        return self.post(RUNS, {"tag": backfill_id})["runsOrError"]["results"]

    def wait_loaded(self, *, seconds: float) -> None:
        """Return once the code location is loaded; a location that cannot load is an error."""
        deadline = time.monotonic() + seconds
        entries: list[dict[str, Any]] = []
        while time.monotonic() < deadline:
            entries = self.post(LOCATIONS, {})["workspaceOrError"].get("locationEntries", [])
            found = [entry["locationOrLoadError"] for entry in entries]
            if found and all(f and f["__typename"] == "RepositoryLocation" for f in found):
                return
            time.sleep(0.5)
        raise RuntimeError(f"the code location is not loaded: {entries}")

    def wait(self, ids: list[str], *, seconds: float) -> dict[str, str]:
        """Statuses once all backfills have ended; at the deadline a failure that shows the runs."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = {name: self.status(name) for name in ids}
            if all(s.startswith(("COMPLETED", "FAILED", "CANCELED")) for s in found.values()):
                return found
            time.sleep(1.0)
        runs = {name: self.runs(name) for name in ids}
        log = (self.home / "daemon.log").read_text()[-6000:]
        raise AssertionError(f"not ended after {seconds:.0f} s: {found}\n{runs}\n{log}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"webserver ended:\n{log.read_text()[-4000:]}")
        try:
            urllib.request.urlopen(f"{url}/server_info", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
        else:
            return
    raise RuntimeError(f"webserver not ready:\n{log.read_text()[-4000:]}")


@contextmanager
def live_dagster(
    home: Path, module: str, environment: dict[str, str], *, tick_seconds: int = STOCK_TICK_SECONDS
) -> Iterator[LiveDagster]:
    """Start `dagster-webserver` and `dagster-daemon` on one code location; stop both at the end.

    tick_seconds : from one look of the daemon at its backfills to the next.
    """
    port = _free_port()
    checkout = str(Path(__file__).parents[2])
    env = {**os.environ, **environment, "DAGSTER_HOME": str(home), "PYTHONPATH": checkout}
    folder = Path(sys.executable).parent
    commands = {
        "webserver": [
            str(folder / "dagster-webserver"),
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-m",
            module,
        ],
        "daemon": [sys.executable, "-c", DAEMON, str(tick_seconds), "run", "-m", module],
    }
    # Two processes that make one database at once damage it: it is made before they start.
    make = "import dagster; dagster.DagsterInstance.get().dispose()"
    subprocess.run([sys.executable, "-c", make], env=env, cwd=home, check=True, timeout=120)
    processes = {}
    try:
        for name, command in commands.items():
            with (home / f"{name}.log").open("wb") as log:
                processes[name] = subprocess.Popen(
                    command, env=env, stdout=log, stderr=subprocess.STDOUT, cwd=home
                )
        live = LiveDagster(port, home)
        _wait_ready(live.url, processes["webserver"], home / "webserver.log")
        live.wait_loaded(seconds=120)
        yield live
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
