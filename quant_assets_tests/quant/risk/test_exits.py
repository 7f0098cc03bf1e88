import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quant_assets.core.errors import ConfigError
from quant_assets.quant.risk.combined import exit_terms, rules_from
from quant_assets.quant.risk.terms import (
    STOP_FRACTION,
    STOP_PRICE,
    TARGET_FRACTION,
    TARGET_PRICE,
    TIME_BARS,
    TRAIL_FRACTION,
    TRAIL_PRICE,
)
from quant_assets_tests.quant.simulation.execution.bar_samples import flat_bars, random_bars

BARS = flat_bars(5, ("A", "B"))


def exits(*spellings, bars=BARS):
    return exit_terms(rules_from(spellings), bars)


@pytest.mark.parametrize(
    ("spelling", "kind", "level"),
    [
        ({"stop_loss": {"pct": 0.03}}, STOP_FRACTION, 0.03),
        ({"trailing_stop": {"pct": 0.02}}, TRAIL_FRACTION, 0.02),
        ({"take_profit": {"pct": 1.5}}, TARGET_FRACTION, 1.5),
        ({"time_stop": {"bars": 7}}, TIME_BARS, 7.0),
    ],
)
def test_exit_with_one_number_holds_for_all_bars(spelling, kind, level):
    found = exits(spelling)
    assert found.kind.tolist() == [kind]
    assert_array_equal(found.level, np.full((1, 1, 2), level))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind"), [("atr_stop", STOP_PRICE), ("atr_trailing", TRAIL_PRICE)]
)
def test_exit_by_atr_is_a_distance_known_at_the_decision(name, kind):
    import talib

    bars = random_bars(60, 2)
    found = exits({name: {"multiple": 2.5, "n": 10}}, bars=bars)
    assert found.kind.tolist() == [kind]
    for column in (0, 1):
        high, low, close = (
            values[:, column].copy() for values in (bars.high, bars.low, bars.close)
        )
        expected = 2.5 * talib.ATR(high, low, close, 10)
        np.testing.assert_allclose(found.level[0, :, column], expected, rtol=1e-9)
    assert np.isnan(found.level[0, :10]).all()


def test_reward_ratio_multiplies_the_distance_of_every_stop():
    found = exits({"reward_ratio": {"ratio": 3.0}}, {"stop_loss": {"pct": 0.02}}, "time_stop")
    assert found.kind.tolist() == [STOP_FRACTION, TIME_BARS, TARGET_FRACTION]
    assert_array_equal(found.level[:, 0, 0], [0.02, 20.0, 0.06])


@pytest.mark.slow
def test_reward_ratio_of_two_stops_is_met_first_at_that_of_the_tighter():
    bars = random_bars(60, 2)
    found = exits({"trailing_stop": {"pct": 0.03}}, "atr_stop", "reward_ratio", bars=bars)
    assert found.kind.tolist() == [TRAIL_FRACTION, STOP_PRICE, TARGET_FRACTION, TARGET_PRICE]
    fill = 100.0
    stops = np.fmin(fill * found.level[0], found.level[1])
    targets = np.fmin(fill * found.level[2], found.level[3])
    np.testing.assert_allclose(targets, 2.0 * stops, rtol=1e-12)


def test_reward_ratio_without_a_stop_is_refused():
    for others in ([], ["take_profit"], ["time_stop"]):
        with pytest.raises(ConfigError, match="reward_ratio needs a stop"):
            exits("reward_ratio", *others)


def test_no_exits_are_no_rows():
    found = exits({"max_position": {"pct": 0.05}})
    assert found.kind.shape == (0,)
    assert found.level.shape == (0, 1, 2)


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ({"trailing_stop": {"pct": 2}}, "trailing_stop: pct is 2"),
        ({"trailing_stop": {"percent": 0.02}}, "did you mean 'pct'?"),
        ({"time_stop": {"bars": 1.5}}, "time_stop: bars is 1.5"),
        ({"atr_stop": {"multiple": 0}}, "atr_stop: multiple is 0"),
        ("trailing_stp", "no RiskRule named 'trailing_stp'"),
    ],
)
def test_exit_with_a_wrong_spelling_is_refused(spelling, message):
    with pytest.raises(ConfigError) as error:
        exits(spelling)
    assert message in str(error.value)


def test_rules_are_a_list():
    with pytest.raises(ConfigError, match="write a list"):
        rules_from("trailing_stop")
