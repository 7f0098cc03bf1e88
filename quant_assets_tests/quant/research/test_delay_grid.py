import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.quant.research.delay_grid import DelayGates, edge_by_delay
from quant_assets.quant.research.outcomes import DirectedEvents, PricePanel, forward_outcomes
from quant_assets.quant.statistics.event_effects import event_effect

pytestmark = pytest.mark.slow

BARS, SYMBOLS, PER_DAY = 4_000, 4, 24
CANARY, NEXT, LATER = range(3)


def _market(seed, *, jump_at=None, size=0.0, n=300, over=1):
    """Random walks in which each event moves prices by `size`, from `jump_at` bars after it on."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(scale=0.01, size=(BARS, SYMBOLS))
    events = DirectedEvents(
        rng.integers(0, SYMBOLS, n), np.sort(rng.integers(0, BARS - 60, n)), rng.choice([-1, 1], n)
    )
    if jump_at is not None:
        for bar in range(over):
            at = (events.bar + jump_at + bar, events.symbol)
            np.add.at(steps, at, events.direction * size / over)
    return PricePanel(np.cumsum(steps, axis=0), np.arange(BARS) // PER_DAY), events


def test_delay_grid_equals_the_effect_of_each_delay_on_common_events():
    panel, events = _market(0)
    panel.log_prices[500, :] = np.nan
    panel.log_prices[-30:] = np.nan
    events.bar[-5:] = BARS - 40 + np.arange(5)
    found = edge_by_delay(panel, events, horizon_bars=6, delays=(0, 1, 4, 9))
    table = np.array(
        [
            forward_outcomes(panel, events, horizon_bars=6, delay_bars=d).outcomes
            for d in (0, 1, 4, 9)
        ]
    )
    known = ~np.isnan(table).any(axis=0)
    assert 0 < known.sum() < 300
    assert (found.n_events, found.n_excluded) == (known.sum(), 300 - known.sum())
    bars = events.bar[known]
    for at in range(4):
        effect = event_effect(table[at, known], bars, bars // PER_DAY, horizon_bars=6)
        assert found.mean[at] == effect.mean
        assert found.p_value[at] == effect.p_value
    drop = event_effect(table[0, known] - table[1, known], bars, bars // PER_DAY, horizon_bars=6)
    expected = drop.p_value / 2 if drop.mean > 0 else 1 - drop.p_value / 2
    assert found.drop_p_value == expected


def test_a_leak_is_flagged_because_its_edge_is_gone_one_bar_later():
    # the move is inside the event's own bar, between its open and the next one
    panel, events = _market(1, jump_at=1, size=0.03)
    found = edge_by_delay(panel, events, horizon_bars=6)
    assert found.mean[CANARY] == pytest.approx(0.03, abs=0.005)
    assert np.abs(found.mean[NEXT:]).max() < 0.01
    assert found.leak_suspect
    assert found.drop_p_value < 1e-6


def test_an_edge_that_lasts_is_stable_and_no_leak():
    panel, events = _market(2, jump_at=1, size=0.06, over=24)
    found = edge_by_delay(panel, events, horizon_bars=24)
    assert not found.leak_suspect
    assert found.stable
    assert found.p_value[NEXT] < 1e-6


def test_an_edge_that_vanishes_after_the_next_open_is_not_stable():
    panel, events = _market(3, jump_at=2, size=0.03)
    found = edge_by_delay(panel, events, horizon_bars=6)
    assert not found.leak_suspect
    assert not found.stable
    assert found.mean[NEXT] > 0.02 > found.mean[LATER]


def test_few_random_walks_are_suspected():
    suspects = [
        edge_by_delay(*_market(seed, n=150), horizon_bars=6).leak_suspect
        for seed in range(100, 250)
    ]
    assert np.mean(suspects) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 150)


def test_a_leak_below_the_cost_is_not_worth_a_suspicion():
    panel, events = _market(1, jump_at=1, size=0.03)
    for cost, suspect in ((0.02, True), (0.05, False)):
        found = edge_by_delay(panel, events, horizon_bars=6, gates=DelayGates(cost=cost))
        assert found.leak_suspect is suspect


def test_no_events_are_neither_leak_nor_stable():
    panel, _ = _market(4)
    none = np.empty(0, dtype=int)
    found = edge_by_delay(panel, DirectedEvents(none, none, none), horizon_bars=6)
    assert found.n_events == 0
    assert np.isnan(found.mean).all()
    assert not found.leak_suspect
    assert not found.stable


@pytest.mark.parametrize("delays", [(), (0, 1), (0, 1, 1), (2, 1, 0), (-1, 0, 1)])
def test_impossible_delays_are_refused(delays):
    panel, events = _market(5)
    with pytest.raises(ConfigError, match="three increasing"):
        edge_by_delay(panel, events, horizon_bars=6, delays=delays)
