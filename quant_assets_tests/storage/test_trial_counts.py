import pandas as pd
import pytest

from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets.storage.telemetry import telemetry_frame, write_telemetry
from quant_assets.storage.trial_counts import counted_trials, shortened_ledgers
from quant_assets.storage.verification import verify
from quant_assets_tests.storage.samples import commit

LEDGER = Cell("trial_ledger", "v", "all")


def ledger(n):
    ts = pd.Series(pd.date_range("2024-01-01", periods=n, tz="UTC").as_unit("us"))
    entrants = pd.Series(["a"] * n, dtype="str")
    return pd.DataFrame(
        {"trial": range(1, n + 1), "ts": ts, "entrant": entrants, "returns": [0.01] * n}
    )


@pytest.fixture
def store(tmp_path):
    return SnapshotStore(tmp_path)


def run(store, run_id, trials):
    row = {"kind": "metrics", "scope": "trial_ledger", "trials": float(trials), "new": 1.0}
    write_telemetry(store.layout, run_id, telemetry_frame([(LEDGER, [row])]))
    commit(store, LEDGER, ledger(trials), kind="venue")


def test_counted_trials_are_the_most_that_a_run_told(store):
    for run_id, trials in (("r1", 3), ("r2", 5), ("r3", 5)):
        run(store, run_id, trials)
    assert counted_trials(store) == {"v": (5, "r2")}
    assert shortened_ledgers(store) == {}
    assert verify(store).problems == ()


def test_verify_names_a_ledger_that_lost_trials(store):
    run(store, "r1", 5)
    commit(store, LEDGER, ledger(2), kind="venue")
    (problem,) = verify(store).problems
    assert problem.cell == str(LEDGER)
    assert "2 trials are left of the 5 that run r1 counted" in problem.problem


def test_verify_names_a_ledger_that_was_deleted(store):
    run(store, "r1", 5)
    store.layout.manifest(LEDGER).unlink()
    store.layout.view(LEDGER).unlink()
    found = [p.problem for p in verify(store).problems]
    assert any("0 trials are left of the 5" in problem for problem in found)
    assert verify(store, venue="another").problems == ()
