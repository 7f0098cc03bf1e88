"""Verdicts on the data of a window, by hand."""

import pandas as pd
import pytest

from quant_assets.contracts.doubts import Doubts
from quant_assets.contracts.quality import Quality
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.core.venues import OptimizationParameters
from quant_assets.quant.analytics.checks import Verdict, data_verdicts, limit_excess
from quant_assets.quant.market.quality import quality_window
from quant_assets_tests.quant.market.event_frames import doubts
from quant_assets_tests.quant.market.frames import bars_frame, ingestion

NAN = float("nan")


def judged(closes: dict, about: pd.DataFrame) -> list[tuple]:
    frame = quality_window(ingestion(), NullTelemetry(), bars=bars_frame(closes), doubts=about)
    return [(v.check, v.value, v.passed) for v in data_verdicts(frame, about)]


def test_data_verdicts_count_gaps_and_doubts_against_expected_bars():
    about = doubts(("03", "A", "flagged", "spike"))
    found = judged({"A": [1.0, NAN, 1.0, 1.0], "B": [1.0] * 4}, about)
    assert found == [("quality_shortfall", 0.25, False), ("unexplained_jumps", 0.0, True)]


def test_data_verdicts_one_percent_of_the_bars_may_be_in_doubt():
    closes = {symbol: [1.0] * 25 for symbol in "ABCD"}
    one = doubts(("03", "A", "flagged", "stale"))
    (check, value, passed), _ = judged(closes, one)
    assert (check, passed) == ("quality_shortfall", True)
    assert value == pytest.approx(0.01)
    two = doubts(("03", "A", "flagged", "stale"), ("04", "B", "repaired", "duplicate"))
    assert not judged(closes, two)[0][2]


def test_data_verdicts_a_jump_without_an_event_fails():
    found = judged({"A": [1.0] * 200}, doubts(("03", "A", "flagged", "ratio jump")))
    assert found[1] == ("unexplained_jumps", 1.0, False)


def test_data_verdicts_of_a_window_without_bars_are_none():
    assert list(data_verdicts(Quality.empty(), Doubts.empty())) == []


def test_verdict_of_nan_never_passes():
    assert not Verdict("a", "b", NAN, 1.0).passed


def _weights(held, before, *, entrant="a", binding=""):
    frame = {"weight": held, "previous_weight": before}
    return pd.DataFrame(frame).assign(entrant=entrant, binding=binding)


LIMITS = OptimizationParameters(max_weight=0.6, max_turnover=0.5, max_gross=1.0)


@pytest.mark.parametrize(
    ("weights", "excess"),
    [
        (_weights([0.6, 0.4], [0.5, 0.5]), 0.0),
        (_weights([0.7, 0.3], [0.6, 0.4]), 0.1),  # cap
        (_weights([0.7, 0.3], [0.6, 0.4], binding="cap_relaxed"), 0.0),
        (_weights([0.6, 0.3], [0.5, 0.4]), 0.1),  # budget
        (_weights([0.0, 0.0], [0.2, 0.2], binding="no_target"), 0.0),
        (_weights([0.6, 0.4], [0.2, 0.2]), 0.1),  # turnover 0.6
        (_weights([0.6, 0.4], [0.2, 0.2], binding="turnover_relaxed"), 0.0),
        (_weights([0.6, 0.4], [0.0, 0.0]), 0.0),  # starts from cash
        (_weights([0.6, 0.55, -0.15], [0.6, 0.55, -0.15]), 0.3),  # gross 1.3, floor 0
    ],
)
def test_limit_excess_is_the_largest_breach(weights, excess):
    fine = _weights([0.5, 0.5], [0.5, 0.5], entrant="b")
    mixed = pd.concat([fine, weights]).sort_values("weight", ignore_index=True)
    assert limit_excess(mixed, LIMITS) == pytest.approx(excess, abs=1e-12)


def test_limit_excess_without_a_turnover_limit():
    limits = OptimizationParameters(max_weight=1.0, max_turnover=None)
    assert limit_excess(_weights([1.0, 0.0], [0.0, 1.0]), limits) == 0.0
