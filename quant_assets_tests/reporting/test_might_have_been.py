"""The tables, the note and the figure of the resampled histories."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.monte_carlo import MonteCarlo
from quant_assets.reporting.charts import bands_figure
from quant_assets.reporting.might_have_been import bands_note, entrants_bands, focus_bands


@pytest.fixture
def bands():
    rows = [
        {"entrant": entrant, "figure": figure, "observed": middle}
        | {"q025": middle - 0.3, "q05": middle - 0.2, "q25": middle - 0.1, "q50": middle + 0.01}
        | {"q75": middle + 0.1, "q95": middle + 0.2, "q975": middle + 0.3}
        | {"n_days": 1500, "mean_block": 2.75, "n_paths": 1000, "seed": 3}
        for entrant, middle in (("a", 0.5), ("b", 0.3))
        for figure in ("cagr", "max_drawdown", "sharpe_ratio", "terminal_wealth")
    ]
    frame = pd.DataFrame(rows).astype({"entrant": "str", "figure": "str"})
    return MonteCarlo.check_frame(frame, where="sample")


def test_note_says_how_the_histories_were_drawn(bands):
    note = bands_note(bands, "b")
    assert note.startswith("1,000 histories of 1,500 days, drawn from the daily net returns of b ")
    assert "blocks of 2.8 on average (seed 3)" in note
    assert bands_note(bands, "stranger") == bands_note(MonteCarlo.empty(), "a") == ""


def test_focus_table_has_a_row_per_figure_in_its_own_unit(bands):
    rows = {
        row.cells[0].text: [c.text for c in row.cells[1:]] for row in focus_bands(bands, "b").rows
    }
    assert rows["CAGR"] == ["30.0%", "10.0%", "20.0%", "31.0%", "40.0%", "50.0%"]
    assert rows["Sharpe ratio"] == ["0.30", "0.10", "0.20", "0.31", "0.40", "0.50"]
    assert list(rows) == ["CAGR", "Sharpe ratio", "Maximum drawdown", "Wealth at the end, of 1"]
    assert focus_bands(bands, "stranger").rows == ()


def test_entrants_table_has_a_row_per_entrant_and_marks_the_focus(bands):
    rows = entrants_bands(bands, "b").rows
    assert [row.cells[0].text for row in rows] == ["a", "b"]
    assert [row.kind for row in rows] == ["", "focus"]
    assert [cell.text for cell in rows[0].cells[1:4]] == ["0.30", "0.51", "0.70"]
    assert [cell.text for cell in rows[0].cells[4:7]] == ["30.0%", "51.0%", "70.0%"]
    assert entrants_bands(MonteCarlo.empty(), "a").rows == ()


def test_figure_has_a_line_per_entrant_the_best_on_top(bands):
    figure = bands_figure(bands[bands["figure"] == "sharpe_ratio"], "b")
    wide, middle, median = figure["data"]
    assert wide["y"] == ["b", "b", None, "a", "a", None]
    np.testing.assert_allclose([x for x in wide["x"] if x is not None], [0.1, 0.5, 0.3, 0.7])
    np.testing.assert_allclose([x for x in middle["x"] if x is not None], [0.2, 0.4, 0.4, 0.6])
    assert wide["x"][2] is None
    assert median["x"] == [0.31, 0.51]
    assert median["marker"]["color"] == ["@accent", "@ink"]
