import os
import signal
import time

import numpy as np
import pytest

from quant_assets.core.errors import IntegrityError
from quant_assets.quant.tuning.bench import Outcome
from quant_assets.quant.tuning.study import StoredTrial, tune
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets.storage.telemetry import telemetry_frame, write_telemetry
from quant_assets.storage.trial_counts import all_trials
from quant_assets.storage.trial_store import (
    TrialFiles,
    searched_trials,
    trial_files,
    trial_problems,
    trials_digest,
    tuned_trials,
)
from quant_assets.storage.verification import verify
from quant_assets_tests.quant.tuning.samples import Cross, market


def trial(key, value=None):
    """A trial whose returns are its own, unless a value is given."""
    value = sum(map(ord, key)) * 1e-4 if value is None else value
    returns = np.array([value, np.pi * 1e-5, -0.0])
    outcome = Outcome("done", "", returns, {"total_return": value, "n_trades": 2.0})
    return StoredTrial(key, {"fast": 2, "kind": "x"}, outcome)


def test_trials_that_come_out_again_count_once(files, tmp_path):
    """By another search, or under the key of newer code."""
    known = trial("c", 0.03)._replace(periods_per_year=365.0)
    files.append([known, trial("b", 0.02)])
    files.append([trial("b", 0.02), known._replace(key="newer"), trial("a", 0.01)])
    other = StoredTrial("c", {"fast": 3}, known.outcome, 365.0)
    files.append([other])
    found = searched_trials(tmp_path, "v")
    assert (files.counted(), files.distinct(), tuned_trials(tmp_path, "v")) == (6, 4, 4)
    assert found["trial"].nunique() == len(found) == 4, "other parameters are another trial"
    assert found["family"].unique().tolist() == ["cross"]
    returns = known.outcome.returns
    ratio = returns.mean() / returns.std(ddof=1) * np.sqrt(365.0)
    ratios = found["annual_sharpe_ratio"].to_numpy()
    np.testing.assert_allclose(ratios, [ratio, np.nan, np.nan, ratio], rtol=1e-12)
    np.testing.assert_allclose(found["n_years"], [3 / 365, np.nan, np.nan, 3 / 365])
    times = files.frame()["completed_at"]
    assert found["available_at"].tolist() == times.iloc[[0, 1, 4, 5]].tolist()


def test_digest_of_searches_changes_with_every_batch(files, tmp_path):
    seen = [trials_digest(tmp_path, "v")]
    for key in "ab":
        files.append([trial(key)])
        seen.append(trials_digest(tmp_path, "v"))
    assert len(set(seen)) == 3
    assert trials_digest(tmp_path, "v") == seen[-1]


@pytest.fixture
def files(tmp_path):
    return TrialFiles(tmp_path, venue="v", strategy="cross")


def test_trials_come_back_bit_for_bit_in_order(files):
    files.append([trial("a"), trial("b", 0.1 + 0.2)])
    refused = StoredTrial("c", {"fast": 9}, Outcome("refused", "no: €", np.empty(0), {}))
    files.append([refused])
    found = list(files.load())
    assert [one.key for one in found] == ["a", "b", "c"]
    np.testing.assert_array_equal(found[1].outcome.returns, trial("b", 0.1 + 0.2).outcome.returns)
    assert found[1].outcome.figures == {"total_return": 0.1 + 0.2, "n_trades": 2.0}
    assert found[0].params == {"fast": 2, "kind": "x"}
    assert found[2].outcome[:2] == ("refused", "no: €")
    assert (files.counted(), files.present()) == (3, 3)
    assert files.frame()["completed_at"].notna().all()


def test_an_empty_store_has_no_trials(files):
    files.append([])
    assert list(files.load()) == []
    assert (files.counted(), len(files.frame())) == (0, 0)


def test_trials_are_counted_by_venue(tmp_path, files):
    files.append([trial("a"), trial("b")])
    TrialFiles(tmp_path, venue="v", strategy="other").append([trial("c")])
    TrialFiles(tmp_path, venue="w", strategy="cross").append([trial("d")])
    assert (tuned_trials(tmp_path, "v"), tuned_trials(tmp_path, "w")) == (3, 1)
    assert tuned_trials(tmp_path, "x") == 0
    store = SnapshotStore(tmp_path)
    row = {"kind": "metrics", "scope": "trial_ledger", "trials": 4.0}
    cell = Cell("trial_ledger", "v", "all")
    write_telemetry(store.layout, "r", telemetry_frame([(cell, [row])]))
    assert [all_trials(store, venue) for venue in "vwx"] == [7, 1, 0]
    assert [(one.venue, one.strategy) for one in trial_files(tmp_path)] == [
        ("v", "cross"),
        ("v", "other"),
        ("w", "cross"),
    ]
    assert trial_problems(tmp_path) == {}


def test_a_batch_taken_out_of_the_middle_is_seen(tmp_path, files):
    for key in "abc":
        files.append([trial(key)])
    (files.folder / "00000002.parquet").unlink()
    with pytest.raises(IntegrityError, match="changed or removed"):
        list(files.load())
    assert list(trial_problems(tmp_path)) == [files.folder]


def test_a_batch_taken_from_the_end_is_seen_and_still_counts(tmp_path, files):
    for key in "abc":
        files.append([trial(key)])
    (files.folder / "00000003.parquet").unlink()
    (why,) = trial_problems(tmp_path).values()
    assert "2 trials are left of the 3" in why
    (problem,) = verify(SnapshotStore(tmp_path)).problems
    assert (problem.cell, problem.problem) == ("trials", why)
    assert verify(SnapshotStore(tmp_path), venue="w").problems == ()
    assert tuned_trials(tmp_path, "v") == 3
    files.append([trial("d")])
    assert len(trial_problems(tmp_path)) == 0  # three are there again, and three were counted


def test_a_changed_batch_is_seen(tmp_path, files):
    for key in "abc":
        files.append([trial(key)])
    path = files.folder / "00000001.parquet"
    other = TrialFiles(tmp_path, venue="w", strategy="cross")
    other.append([trial("z")])
    path.unlink()
    path.write_bytes((other.folder / "00000001.parquet").read_bytes())
    with pytest.raises(IntegrityError, match="changed or removed"):
        list(files.load())
    path.write_bytes(b"PAR1 nonsense")
    with pytest.raises(IntegrityError, match="no batch of trials"):
        list(files.load())


def test_search_goes_on_from_its_files(files):
    bars, space = market(60), {"fast": [2, 3], "slow": [6, 8]}
    first = tune(Cross, space, bars, store=files)
    again = tune(
        Cross, space, bars, store=TrialFiles(files.layout.root, venue="v", strategy="cross")
    )
    assert again.reused == 4
    assert again.hash() == first.hash()
    assert files.present() == 4


@pytest.mark.slow
def test_search_that_is_killed_again_and_again_recomputes_nothing(files):
    bars = market(400)
    space = {"fast": list(range(2, 12)), "slow": list(range(12, 32))}
    search = {"grid": {"batch": 5}}
    draw = np.random.default_rng(1)
    kills, seen = 0, 0
    while kills < 12:
        child = os.fork()
        if child == 0:
            tune(Cross, space, bars, search=search, store=files)
            os._exit(0)
        ended = 0
        while files.present() == seen and not ended:
            time.sleep(0.001)
            ended, _ = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        time.sleep(draw.uniform(0.0, 0.01))  # it has got further: now, or a little later
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1
        present = files.present()  # and no batch is damaged
        assert present >= seen
        assert present % 5 == 0
        seen = present
    assert kills >= 3
    finished = tune(Cross, space, bars, search=search, store=files)
    keys = [one.key for one in files.load()]
    assert len(keys) == len(set(keys)) == 200
    assert finished.reused >= seen
    assert finished.hash() == tune(Cross, space, bars, search=search).hash()
