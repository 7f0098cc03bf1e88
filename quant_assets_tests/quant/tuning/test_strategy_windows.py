"""A walk-forward in cells is the library's walk-forward, window by window."""

import json

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.funding import Funding
from quant_assets.contracts.strategy_state import StrategyState
from quant_assets.core.context import WalkForwardContext
from quant_assets.core.errors import ConfigError
from quant_assets.core.telemetry import RecordingTelemetry
from quant_assets.quant.simulation.strategy_windows.reading import (
    FileVariants,
    execution_of,
    strategy_of,
)
from quant_assets.quant.strategies.config import load_strategy
from quant_assets.quant.tuning.out_of_sample import Span, walk_forward
from quant_assets.quant.tuning.strategy_windows import WALK_FRAMES, walk_forward_window
from quant_assets_tests.quant.simulation.strategy_windows.runs import (
    bars_frame,
    market,
    values_of,
    whole,
    windows_of,
)
from quant_assets_tests.quant.strategies.markets import random_bars

pytestmark = pytest.mark.slow

PATH = "components.signals.entry_long.0.rsi_oversold.threshold"
TEXT = """\
strategy: tuned
version: "1.0.0"
components:
  signals:
    entry_long: [{rsi_oversold: {period: 4, threshold: 30}}]
    exit_long: [{rsi_overbought: {period: 4, threshold: 60}}]
  risk:
    - trailing_stop: {pct: 0.06}
walk_forward:
  parameters:
    components.signals.entry_long.0.rsi_oversold.threshold: [25, 35, 45]
    components.risk.0.trailing_stop.pct: [0.03, 0.09]
  training_windows: 2
"""
PANEL = random_bars(rows=210, seed=12)


def walked_by_window(text: str = TEXT, **changes) -> tuple[list[dict], list[dict]]:
    values, frame = values_of(text), bars_frame(PANEL)
    state, found, told = StrategyState.empty(), [], []
    for window in windows_of(PANEL):
        context = WalkForwardContext(
            venue="v",
            window=window,
            decided_at=window.start,
            market=market(),
            strategy=values,
            mode="carry",
            **{"training_windows": 5, **changes},
        )
        known = frame[frame["ts"] < pd.Timestamp(window.end)].reset_index(drop=True)
        telemetry = RecordingTelemetry()
        inputs = {"bars": known, "funding": Funding.empty(), "tuned_walk_state": state}
        made = walk_forward_window(context, telemetry, **inputs)
        plain = {part: made[f"tuned_{part}"] for part in WALK_FRAMES}
        for part, contract in WALK_FRAMES.items():
            contract.check_frame(plain[part], where=f"{part} of {window.key}")
        state = plain["walk_state"]
        found.append(plain)
        told += telemetry.rows
    return found, told


@pytest.fixture(scope="module")
def found() -> list[dict]:
    return walked_by_window()[0]


def test_windows_make_up_the_walk_forward_of_the_library(found: list[dict]):
    starts = [
        int(np.searchsorted(PANEL.ts, np.datetime64(window.start.replace(tzinfo=None))))
        for window in windows_of(PANEL)
    ]
    ends = [*starts[1:], len(PANEL)]
    spans = [Span(starts[i - 2], starts[i], starts[i], ends[i]) for i in range(2, len(starts))]
    values = values_of(TEXT)
    space = values["walk_forward"]["parameters"]
    model = execution_of(strategy_of(values))
    expected = walk_forward(FileVariants(values), space, PANEL, spans, model)
    equity = whole(found, "walk_equity")
    np.testing.assert_array_equal(equity["equity"], expected.equity["equity"])
    results = whole(found, "walk_forward")
    assert results["optimal_params"].map(json.loads).tolist() == [
        window.params for window in expected.windows
    ]
    for name in ("is_metrics", "oos_metrics", "degradation_pct", "trades_count"):
        assert results[name].tolist() == pytest.approx(expected.frame()[name].tolist(), nan_ok=True)
    assert results["test_start"].tolist() == expected.frame()["test_start"].tolist()
    assert len({json.dumps(one.params) for one in expected.windows}) > 1, "choices differ"


def test_walk_forward_of_a_file_with_a_first_day_trains_from_that_day_on():
    """Its first window trains on what is left of the month, warm; then it goes on as ever."""
    text = TEXT + 'backtest: {start_date: "2022-02-15"}\n'
    made = walked_by_window(text)[0]
    assert [one["walk_forward"].empty for one in made] == [True] * 3 + [False] * 4
    starts = [
        int(np.searchsorted(PANEL.ts, np.datetime64(window.start.replace(tzinfo=None))))
        for window in windows_of(PANEL)
    ]
    ends = [*starts[1:], len(PANEL)]
    begin = int(np.searchsorted(PANEL.ts, np.datetime64("2022-02-15")))
    trained = [max(begin, starts[i - 2]) for i in range(3, len(starts))]
    assert trained[0] == begin > starts[1]
    spans = [Span(first, starts[i], starts[i], ends[i]) for i, first in enumerate(trained, start=3)]
    values = values_of(text)
    space = values["walk_forward"]["parameters"]
    model = execution_of(strategy_of(values))
    expected = walk_forward(FileVariants(values), space, PANEL, spans, model)
    equity = whole(made, "walk_equity")
    np.testing.assert_array_equal(equity["equity"], expected.equity["equity"])
    results = whole(made, "walk_forward")
    assert results["train_start"].tolist() == expected.frame()["train_start"].tolist()
    assert results["is_metrics"].tolist() == expected.frame()["is_metrics"].tolist()


def test_windows_before_there_is_enough_training_are_empty(found: list[dict]):
    assert [one["walk_forward"].empty for one in found] == [True] * 2 + [False] * 5
    assert all(frame.empty for one in found[:2] for frame in one.values())
    venue_says = walked_by_window(TEXT.replace("  training_windows: 2\n", ""))[0]
    assert [one["walk_forward"].empty for one in venue_says] == [True] * 5 + [False] * 2


def test_every_combination_is_a_trial_of_its_window(found: list[dict]):
    for one in found[2:]:
        trials, (result,) = one["trials"], one["walk_forward"].to_dict("records")
        assert trials["trial_number"].tolist() == [1, 2, 3, 4, 5, 6]
        best = trials.loc[trials["objective_value"].idxmax()]
        assert json.loads(best["params"]) == json.loads(result["optimal_params"])
        assert best["objective_value"] == result["is_metrics"]
        assert trials["run_id"].unique().tolist() == [result["parent_run_id"]]
        scores = trials["overfitting_score"].dropna()
        assert ((scores >= 0.0) & (scores <= 1.0)).all()


def test_degradation_is_the_loss_from_inside_to_outside(found: list[dict]):
    rows = whole(found, "walk_forward")
    positive = rows["is_metrics"] > 0.0
    expected = 100.0 * (rows["is_metrics"] - rows["oos_metrics"]) / rows["is_metrics"]
    np.testing.assert_allclose(rows["degradation_pct"][positive], expected[positive], rtol=1e-12)
    assert rows["degradation_pct"][~positive].isna().all()


def test_variants_name_the_path_that_a_file_lacks():
    variants = FileVariants(values_of(TEXT))
    assert (
        variants(**{PATH: 20})
        == strategy_of(values_of(TEXT.replace("threshold: 30", "threshold: 20"))).strategy
    )
    with pytest.raises(ConfigError, match="the file has no 'rsi_over' there"):
        variants(**{PATH.replace("rsi_oversold", "rsi_over"): 20})
    with pytest.raises(ConfigError, match="the file has no '3' there"):
        variants(**{PATH.replace(".0.", ".3."): 20})


def test_section_takes_paths_of_components_only_and_is_no_part_of_the_hash():
    plain = load_strategy(TEXT.partition("walk_forward:")[0])
    assert plain.strategy_hash == load_strategy(TEXT).strategy_hash
    with pytest.raises(ConfigError, match="only values below components can be chosen"):
        load_strategy(TEXT.replace("components.risk.0", "execution.risk.0"))
