from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import LookAheadError
from quant_assets.quant.market.panel import Panel
from quant_assets.quant.synthesis.history import (
    at_decision,
    candidate_symbols,
    on_rows,
    panels_of,
    refuse_future,
    stamps,
)
from quant_assets_tests.quant.synthesis.synthetic import (
    START,
    bars_before,
    candidate_pool,
    long_frame,
)

NAN = np.nan


def test_candidate_symbols_are_sorted_unique_and_passed_every_rule():
    pool = candidate_pool(("B", "NA", "A"), rejected=("C",))
    pool = pd.concat([pool, pool.assign(rule="z")])
    assert candidate_symbols(pool, START) == ("A", "B", "NA")


def test_candidate_symbols_of_another_decision_do_not_count():
    old = candidate_pool(("A",), decided_at=START - timedelta(days=31))
    assert candidate_symbols(pd.concat([old, candidate_pool(("B",))]), START) == ("B",)
    assert candidate_symbols(old, START) == ()
    assert len(at_decision(old, START)) == 0


def test_refuse_future_names_frame_and_first_late_row():
    frame = long_frame({"returns": np.zeros((3, 1))}, bars_before(3), ("A",))
    refuse_future(frame, START, name="returns_matrix")
    refuse_future(frame.iloc[:0], START, name="returns_matrix")
    with pytest.raises(LookAheadError, match=r"returns_matrix: 1 rows .* 2020-03-01"):
        refuse_future(frame, START - timedelta(seconds=1), name="returns_matrix")


def test_stamps_are_utc_microseconds():
    assert str(stamps(START, 3).dtype) == "datetime64[us, UTC]"
    assert stamps(START, 3).tolist() == [pd.Timestamp(START)] * 3


def test_panels_of_put_missing_symbols_at_nan_in_the_asked_order():
    frame = long_frame({"returns": np.array([[1.0, 2.0], [3.0, 4.0]])}, bars_before(2), ("A", "C"))
    panel = panels_of(frame, ["returns"], ("C", "B", "A"))["returns"]
    np.testing.assert_array_equal(panel.values, [[2.0, NAN, 1.0], [4.0, NAN, 3.0]])
    assert panel.symbols == ("C", "B", "A")


def test_on_rows_fills_rows_that_the_panel_lacks_with_nan():
    ts = bars_before(3)
    panel = Panel(np.array([[1.0], [3.0]]), ts[[0, 2]], ("A",))
    np.testing.assert_array_equal(on_rows(panel, ts), [[1.0], [NAN], [3.0]])
