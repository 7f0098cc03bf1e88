"""One measurement in a process of its own: `python -m benchmarks._child WHAT CELLS STORAGE`.

Prints JSON. `WHAT` is `trivial` or `wide` (see `benchmarks._location`), `STORAGE` is `pooled`
(ours) or `stock` (as Dagster comes).
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import yaml

from quant_assets.orchestration.cells import IO_MANAGER
from quant_assets.orchestration.instance import HEADLESS, prepare_home
from quant_assets.orchestration.io_managers import SnapshotIOManager
from quant_assets.orchestration.launch import QUIET
from quant_assets.orchestration.workspace import current_workspace
from quant_assets.storage.paths import Cell

VENUE = "bench"
RANGE = "dagster/asset_partition_range_{}"


def use_stock_event_log(home: Path) -> None:
    """Take our event log out of the instance's settings: Dagster's own is used then."""
    path = home / "dagster.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    del settings["event_log_storage"]
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")


def seconds(
    instance: dg.DagsterInstance, assets: Sequence[dg.AssetsDefinition], windows: list[str]
) -> float:
    """Wall time of one range run."""
    began = time.perf_counter()
    run = dg.materialize(
        assets,
        instance=instance,
        resources={IO_MANAGER: SnapshotIOManager()},
        run_config=QUIET,
        tags={
            RANGE.format("start"): f"{VENUE}|{windows[0]}",
            RANGE.format("end"): f"{VENUE}|{windows[-1]}",
        },
    )
    if not run.success:
        raise RuntimeError(f"run {run.run_id} failed")
    return time.perf_counter() - began


def main() -> None:
    """Warm up on one window, then measure the others; the one-window run tells the fixed cost."""
    from benchmarks import _location

    what, cells, storage = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    workspace = current_workspace()
    home = prepare_home(workspace)
    if storage == "stock":
        use_stock_event_log(home)
    assets = _location.trivial_assets() if what == "trivial" else [_location.wide]
    first = workspace.span(VENUE).first_data
    windows = [workspace.grid.shift(first, count) for count in range(cells + 2)]
    with dg.DagsterInstance.local_temp(str(home), overrides=HEADLESS) as instance:
        seconds(instance, assets, windows[:1])
        facts: dict[str, object] = {"fixed": seconds(instance, assets, windows[1:2])}
        facts["changed"] = seconds(instance, assets, windows[2:])
        facts["assets"] = len(assets)
        if what == "wide":
            facts["unchanged"] = seconds(instance, assets, windows[2:])
            manifests = [workspace.store.require(Cell("wide", VENUE, w)) for w in windows[2:]]
            facts["step"] = sum(manifest.run.seconds for manifest in manifests)
            facts["bytes"] = manifests[0].size
            facts["rows"] = manifests[0].rows
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
