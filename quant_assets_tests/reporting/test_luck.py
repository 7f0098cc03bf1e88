"""The sentence and the table on luck."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.overfitting import Overfitting
from quant_assets.reporting.luck import luck_table, luck_verdict


def table(**changes):
    rows = {
        "entrant": pd.Series(["a", "b"], dtype="str"),
        "n_days": [300, 300],
        "sharpe_ratio": [0.02, 0.1],
        "psr": [0.6, 0.99],
        "dsr": [0.3, 0.96],
        "minimum_days": [np.nan, 271.2],
        "family": pd.Series(["a", "b"], dtype="str"),
        "family_trials": [1, 6],
        "family_dsr": [0.6, 0.97],
        "searched_trials": [0, 0],
        "n_trials": [7, 7],
        "effective_trials": [2.25, 2.25],
        "expected_maximum": [0.05, 0.05],
        "pbo": [0.25, 0.25],
        "pbo_trials": [7, 7],
        "pbo_days": [1300, 1300],
    }
    return Overfitting.check_frame(pd.DataFrame({**rows, **changes}), where="sample")


@pytest.mark.parametrize(
    ("focus", "end"), [("b", "b has a DSR of 96.0%: convincing."), ("a", "30.0%: not convincing.")]
)
def test_verdict_says_what_the_trials_leave_of_the_focus(focus, end):
    text = luck_verdict(table(), focus)
    assert text.startswith("7 trials so far, worth 2.2 independent ones. After them")
    assert end in text
    assert "best of 7 in one half of 1,300 days" in text
    assert "in 25% of the splits (PBO)" in text


def test_verdict_says_how_many_trials_were_searches_and_what_the_family_leaves():
    text = luck_verdict(table(searched_trials=[5, 5]), "b")
    assert text.startswith("7 trials so far (5 of them by searches over parameters), the others")
    assert "b has a DSR of 96.0% (97.0% after the 6 of its own family): convincing." in text


def test_verdict_without_pbo_or_focus_is_silent_about_them():
    text = luck_verdict(table(pbo=[np.nan] * 2), "stranger")
    assert text == "7 trials so far, worth 2.2 independent ones."
    assert luck_verdict(Overfitting.empty(), "a") == ""


def test_table_has_the_most_convincing_first_and_marks_the_focus():
    rows = luck_table(table(), "a").rows
    assert [row.cells[0].text for row in rows] == ["b", "a"]
    assert [row.kind for row in rows] == ["", "focus"]
    own = ["300", "0.1000", "99.0%", "96.0%", "272", "6", "97.0%"]
    assert [cell.text for cell in rows[0].cells[1:]] == own
    assert rows[1].cells[5].text == "—"
