"""Commands raise the sensors' alerts, once a cause, and end those of what works again."""

import json
from pathlib import Path

import pytest

from quant_assets.cli import alerting
from quant_assets.cli.alerting import planning, pulling, tell_pulled, tell_run, tell_taken_in
from quant_assets.core.config import Settings
from quant_assets.core.errors import CellLockedError, DataError, StorageError
from quant_assets.core.windows import Grid
from quant_assets.operations.alerts import Alert, Alerts, Event
from quant_assets.operations.intake.landing import landing_folder, take_in
from quant_assets.operations.intake.pulls import Pull, Pulled
from quant_assets.orchestration.automation import PULL_OP, alerts
from quant_assets.orchestration.launch import LaunchResult
from quant_assets.orchestration.plan import Plan, make_plan
from quant_assets.orchestration.workspace import Workspace
from quant_assets_tests.cli.program import quant_assets
from quant_assets_tests.orchestration.dropped_venue import NAME, bars, environment, write_dropped

pytestmark = pytest.mark.slow

FAILED = ("bars", "DataError: file a.csv, row 3: close is negative")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    write_dropped(tmp_path / "venues")
    settings = Settings(
        data_root=tmp_path / "data",
        venues_folder=tmp_path / "venues",
        venues=[NAME],
        grid=Grid(start="2023-11-01"),
    )
    return Workspace(settings)


@pytest.fixture
def plan(workspace: Workspace) -> Plan:
    return make_plan(workspace, NAME)


def found(workspace: Workspace) -> list[Alert]:
    return list(alerts(workspace).all().values())


def ended(workspace: Workspace) -> dict[str, bool]:
    return {alert.stage: alert.ended_at is not None for alert in found(workspace)}


def dropped(workspace: Workspace, name: str, text: str) -> Path:
    path = landing_folder(workspace.sources(NAME)) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def taken(workspace: Workspace, path: Path, *, keep: bool = False) -> None:
    store, venue = workspace.sources(NAME), workspace.venue(NAME)
    tell_taken_in(workspace, NAME, [take_in(store, venue, path, keep=keep)])


def test_failed_run_is_one_alert_that_the_next_good_one_ends(workspace: Workspace, plan: Plan):
    bad = LaunchResult(NAME, ["run-1"], [FAILED, ("quality", "DataError: that, too")])
    for _ in range(2):
        tell_run(workspace, plan, bad, whole=True)
    (alert,) = found(workspace)
    assert (alert.stage, alert.cause, alert.seen, alert.first_run) == (*FAILED, 2, "run-1")
    tell_run(workspace, plan, LaunchResult(NAME), whole=True)
    assert ended(workspace) == {"bars": True}


def test_good_run_ends_what_it_proves_and_nothing_else(workspace: Workspace, plan: Plan):
    for stage in ("some_step", "landing", "freshness", PULL_OP):
        alerts(workspace).raise_alert(Event(NAME, stage, "x"))
    alerts(workspace).raise_alert(Event("another", "bars", "x"))
    tell_run(workspace, plan, LaunchResult(NAME), whole=False)
    assert not any(ended(workspace).values())
    tell_run(workspace, plan, LaunchResult(NAME), whole=True)
    assert [stage for stage, over in ended(workspace).items() if over] == ["some_step"]


def test_alert_of_a_sensor_and_of_a_command_are_one(workspace: Workspace):
    text = "venue dropped: something is wrong"
    alerts(workspace).raise_alert(Event(NAME, "new_data", text))
    with pytest.raises(DataError), planning(workspace, NAME):
        raise DataError(text)
    alerts(workspace).raise_alert(Event(NAME, PULL_OP, "DataError: away", "run-7"))
    tell_pulled(workspace, NAME, Pull(pulled=[Pulled("bars", "X", failure="away")]))
    assert [alert.seen for alert in found(workspace)] == [2, 2]
    tell_pulled(workspace, NAME, Pull(pulled=[Pulled("bars", "X", 5)]))
    assert ended(workspace) == {"new_data": False, PULL_OP: True}


def test_another_writer_is_no_alert_and_a_full_disk_hides_no_cause(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    with pytest.raises(CellLockedError), pulling(workspace, NAME):
        raise CellLockedError("somebody writes")
    assert found(workspace) == []

    def full(*_: object) -> None:
        raise StorageError("no space left")

    monkeypatch.setattr(Alerts, "raise_alert", full)
    with pytest.raises(DataError, match="the cause"), pulling(workspace, NAME):
        raise DataError("the cause")


def test_refused_file_is_an_alert_until_the_file_is_mended(workspace: Workspace):
    good = bars(["2024-01-01"]).to_csv(index=False)
    first, second = (dropped(workspace, name, "nonsense\n1\n") for name in ("a.csv", "b.csv"))
    second.write_text("other\n2\n")
    for path in (first, second):
        taken(workspace, path)
    assert [alert.ended_at for alert in found(workspace)] == [None, None]
    first.write_text(good, encoding="utf-8")
    taken(workspace, first)
    over = {alert.cause[:5]: alert.ended_at is not None for alert in found(workspace)}
    assert over == {"a.csv": True, "b.csv": False}
    second.unlink()  # given up
    tell_taken_in(workspace, NAME, [])
    assert all(alert.ended_at for alert in found(workspace))


def test_refused_file_that_was_named_is_an_alert_until_it_is_taken_in(
    workspace: Workspace, tmp_path: Path
):
    path = tmp_path / "a.csv"
    path.write_text("nonsense\n1\n")
    taken(workspace, path, keep=True)
    tell_taken_in(workspace, NAME, [])
    assert ended(workspace) == {"landing": False}
    path.write_text(bars(["2024-01-01"]).to_csv(index=False), encoding="utf-8")
    taken(workspace, path, keep=True)
    assert ended(workspace) == {"landing": True}


@pytest.mark.slow
def test_commands_raise_and_end_alerts(tmp_path: Path):
    root = tmp_path / "data"
    write_dropped(tmp_path / "venues")
    words = environment(root, tmp_path / "venues")
    file = tmp_path / "bars.csv"
    file.write_text("nonsense\n1\n")
    command = ("ingest", "--venue", NAME, str(file))
    assert quant_assets(root, *command, **words).code == 3
    (path,) = (root / "alerts").glob("*.json")
    assert json.loads(path.read_text())["ended_at"] is None
    file.write_text(bars(["2024-01-01"]).to_csv(index=False), encoding="utf-8")
    done = quant_assets(root, *command, **words)
    assert done.code == 0, done.stdout + done.stderr
    assert json.loads(path.read_text())["ended_at"] is not None


def test_stages_of_other_causes_are_those_that_sensors_use():
    assert {"landing", "freshness", "disk", PULL_OP} <= alerting.OTHERS
