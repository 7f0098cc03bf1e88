import numpy as np
import pytest
from scipy import stats

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.research.bridge_checks import (
    break_even_bps,
    break_even_by_bisection,
    cost_surface,
    cost_survivability,
)
from quant_assets.quant.research.outcomes import EventOutcomes


def _sample(mean, n=200, spread=0.01, horizon=3):
    rng = np.random.default_rng(0)
    noise = rng.normal(size=n)
    noise = (noise - noise.mean()) / noise.std() * spread
    bars = np.arange(n) * 50
    return EventOutcomes(mean + noise, bars, bars // 100, horizon)


@pytest.mark.parametrize("mean", [0.0031, 1e-7, 0.0, -0.002, 0.7])
@pytest.mark.parametrize("sides", [1.0, 2.0, 3.5])
def test_break_even_by_bisection_is_the_closed_form(mean, sides):
    outcomes = _sample(mean).outcomes

    def net(cost_bps):
        return float(np.mean(outcomes - sides * cost_bps / 1e4))

    closed = break_even_bps(float(outcomes.mean()), sides=sides)
    assert break_even_by_bisection(net) == pytest.approx(closed, rel=1e-9, abs=1e-8)


def test_break_even_by_hand():
    assert break_even_bps(0.0028) == pytest.approx(14.0)


def test_break_even_of_compounding_costs_equals_its_own_closed_form():
    # mean of (1 + r) (1 - c) / (1 + c) - 1 is 0 at c = m / (2 + m)
    r = np.random.default_rng(1).normal(0.01, 0.05, 300)
    found = break_even_by_bisection(
        lambda bps: float(np.mean((1 + r) * (1 - bps / 1e4) / (1 + bps / 1e4) - 1))
    )
    assert found == pytest.approx(1e4 * r.mean() / (2 + r.mean()), rel=1e-9)


@pytest.mark.parametrize("net", [lambda c: 1.0, lambda c: -1.0, lambda c: np.nan, lambda c: c])
def test_bisection_without_a_fall_through_zero_is_refused(net):
    with pytest.raises(DataError, match="does not fall"):
        break_even_by_bisection(net)


@pytest.mark.slow
def test_bounds_are_those_of_the_t_distribution():
    sample = _sample(0.003)
    found, effect = cost_survivability(sample, cost_bps=5.0), sample.effect()
    freedom = effect.effective_days - 1
    low, high = stats.t.interval(0.8, freedom, found.net_mean, effect.standard_error)
    assert (found.lower_bound, found.upper_bound) == pytest.approx((low, high), rel=1e-9)
    assert found.net_mean == pytest.approx(0.003 - 0.001, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mean", "verdict", "reason"),
    [
        (0.00800, "survives", "break-even 40 bps a side"),
        (0.00296, "rejected", "break-even 14.8 bps a side, 15 needed"),
        (0.00210, "undecidable", "net mean between -"),
        (-0.0020, "rejected", "net mean at most -"),
    ],
)
def test_cost_survivability_verdicts(mean, verdict, reason):
    # 20 bps a round trip; 200 events of 1 % have an error of 7 bps, and bounds 9 bps away
    found = cost_survivability(_sample(mean), cost_bps=10.0)
    assert found.verdict == verdict
    assert reason in found.reason


@pytest.mark.slow
def test_no_events_are_undecidable():
    empty = np.empty(0, dtype=int)
    found = cost_survivability(EventOutcomes([], empty, empty, 1), cost_bps=5.0)
    assert found.verdict == "undecidable"
    assert np.isnan(found.break_even_bps)


@pytest.mark.slow
def test_cost_surface_shows_every_horizon_and_cost():
    samples = [_sample(0.002, horizon=3), _sample(0.006, horizon=12)]
    table = cost_surface(samples, [0.0, 5.0, 20.0])
    assert table[["horizon_bars", "cost_bps"]].to_numpy().tolist() == [
        [h, c] for h in (3, 12) for c in (0.0, 5.0, 20.0)
    ]
    net = [0.002, 0.001, -0.002, 0.006, 0.005, 0.002]
    np.testing.assert_allclose(table["net_mean"], net, rtol=1e-9)
    np.testing.assert_allclose(table["break_even_bps"], [10.0] * 3 + [30.0] * 3, rtol=1e-9)
    assert table["survives"].tolist() == [True, True, False, True, True, True]
    for row, sample in zip(table.itertuples(), np.repeat(samples, 3), strict=True):
        check = cost_survivability(sample, cost_bps=row.cost_bps)
        assert row.lower_bound == check.lower_bound


def test_wrong_settings_say_what():
    sample = _sample(0.0)
    with pytest.raises(ConfigError, match="sides 0"):
        break_even_bps(0.1, sides=0.0)
    with pytest.raises(ConfigError, match=r"confidence 1\.0"):
        cost_surface([sample], [1.0], confidence=1.0)
    with pytest.raises(ConfigError, match="costs \\[nan\\]"):
        cost_survivability(sample, cost_bps=np.nan)
