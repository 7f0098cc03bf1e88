"""The trial counter: what is one trial, what is a new one, and that none ever leaves."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant_assets.contracts.trial_ledger import TrialLedger
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.analytics.trial_ledger import daily_streams, trial_ledger_venue
from quant_assets_tests.quant.analytics.accounts import context, days, equity

DAY = timedelta(days=1)


def ledger(account, before=None):
    before = TrialLedger.empty() if before is None else before
    found = trial_ledger_venue(context(), NullTelemetry(), equity=account, trial_ledger=before)
    return TrialLedger.check_frame(found, where="ledger")


def trials(frame):
    return [(n, e, r.tolist()) for (n, e), r in frame.groupby(["trial", "entrant"])["returns"]]


def test_ledger_numbers_the_streams_by_name():
    found = ledger(equity({"b": [0.01, 0.02], "a": [0.03, 0.04]}))
    assert trials(found) == [(1, "a", [0.03, 0.04]), (2, "b", [0.01, 0.02])]


def test_ledger_same_streams_again_add_nothing():
    first = ledger(equity({"a": [0.01, 0.02]}))
    pd.testing.assert_frame_equal(ledger(equity({"a": [0.01, 0.02]}), first), first)


def test_ledger_longer_history_continues_its_trial():
    first = ledger(equity({"a": [0.01, 0.02]}))
    assert trials(ledger(equity({"a": [0.01, 0.02, 0.03]}), first)) == [
        (1, "a", [0.01, 0.02, 0.03])
    ]


def test_ledger_shorter_history_leaves_the_trial_whole():
    first = ledger(equity({"a": [0.01, 0.02, 0.03]}))
    pd.testing.assert_frame_equal(ledger(equity({"a": [0.01]}), first), first)


def test_ledger_changed_return_is_a_new_trial_and_the_old_one_stays():
    first = ledger(equity({"a": [0.01, 0.02]}))
    found = ledger(equity({"a": [0.01, 0.03]}), first)
    assert trials(found) == [(1, "a", [0.01, 0.02]), (2, "a", [0.01, 0.03])]


def test_ledger_entrant_that_left_the_tournament_stays():
    first = ledger(equity({"a": [0.01], "b": [0.02]}))
    assert trials(ledger(equity({"c": [0.03]}), first))[:2] == trials(first)


def test_ledger_without_equity_keeps_what_it_had():
    first = ledger(equity({"a": [0.01]}))
    pd.testing.assert_frame_equal(ledger(equity({"a": [0.01]}).iloc[:0], first), first)
    assert len(ledger(equity({"a": [0.01]}).iloc[:0])) == 0


def test_ledger_tells_how_many_trials_there_are():
    telemetry = RecordingTelemetry()
    first = ledger(equity({"a": [0.01]}))
    account = equity({"a": [0.01], "b": [0.02]})
    trial_ledger_venue(context(), telemetry, equity=account, trial_ledger=first)
    assert telemetry.rows[0]["trials"] == 2.0
    assert telemetry.rows[0]["new"] == 1.0


def test_daily_streams_compound_bars_and_leave_the_last_day_out():
    ts = pd.DatetimeIndex(np.repeat(days(3), 2)) + pd.to_timedelta([0, 12] * 3, "h")
    account = equity({"a": [0.1, 0.1, 0.0, -0.5, 0.2, 0.2]}, ts.as_unit("us"))
    (stream,) = daily_streams(account, DAY / 2)
    np.testing.assert_allclose(stream.returns, [0.21, -0.5], rtol=1e-12)
    assert stream.days.tolist() == [day.to_pydatetime().replace(tzinfo=None) for day in days(2)]


@pytest.mark.slow
@given(st.lists(st.lists(st.sampled_from([0.0, 0.01]), min_size=1, max_size=5), max_size=12))
def test_ledger_any_order_of_runs_never_loses_a_stream(runs):
    frame = None
    for run in runs:
        before = [] if frame is None else trials(frame)
        frame = ledger(equity({"a": run}), frame)
        after = trials(frame)
        assert len(after) >= len(before)
        for old, new in zip(before, after, strict=False):
            assert new[2][: len(old[2])] == old[2]
        assert any(stream[: len(run)] == run for _, _, stream in after)
