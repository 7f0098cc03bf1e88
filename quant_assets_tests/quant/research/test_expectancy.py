import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.research.expectancy import aggregate_evaluation
from quant_assets.quant.statistics.event_effects import event_effect

pytestmark = pytest.mark.slow


def _events(outcomes, hypothesis="a", horizon=2):
    bars = np.arange(len(outcomes)) * 10
    columns = {"hypothesis": hypothesis, "outcome": outcomes, "bar": bars, "day": bars // 20}
    return pd.DataFrame({**columns, "horizon_bars": horizon})


def test_aggregate_evaluation_by_hand():
    # wins 0.04, 0.02; losses -0.01, -0.01, -0.02; one flat; one not known
    row = aggregate_evaluation(
        _events([0.04, -0.01, 0.02, -0.01, 0.0, -0.02, np.nan]), min_events=3
    ).loc["a"]
    assert (row["n_events"], row["n_excluded"], row["horizon_bars"]) == (6, 1, 2)
    assert row["expectancy"] == pytest.approx(0.02 / 6)
    assert row["hit_rate"] == pytest.approx(2 / 5)
    assert row["average_win"] == pytest.approx(0.03)
    assert row["average_loss"] == pytest.approx(-0.04 / 3)
    assert row["payoff_ratio"] == pytest.approx(0.03 / (0.04 / 3))
    assert row["profit_factor"] == pytest.approx(1.5)
    # squares .0016 + .0001 + .0004 + .0001 + .0004 = .0026, less 6 * (1/300)^2
    spread = np.sqrt((0.0026 - 6 * (0.02 / 6) ** 2) / 5)
    assert row["sqn"] == pytest.approx(np.sqrt(6) * (0.02 / 6) / spread)
    # bars ten apart and lag 4: no products, error = sqrt(sum of squares) / n
    assert row["standard_error"] == pytest.approx(np.sqrt(spread**2 * 5) / 6)
    assert row["t_value"] == pytest.approx(row["expectancy"] / row["standard_error"])
    assert row["effective_days"] == pytest.approx(36 / 12)  # two events on each of three days


def test_hypotheses_are_judged_apart_and_in_order():
    rng = np.random.default_rng(0)
    frames = [_events(rng.normal(size=60), name, h) for name, h in (("b", 1), ("a", 30))]
    mixed = pd.concat(frames).sample(frac=1.0, random_state=1)
    table = aggregate_evaluation(mixed)
    assert table.index.tolist() == ["a", "b"]
    for frame in frames:
        y, bar, day = (frame[n].to_numpy() for n in ("outcome", "bar", "day"))
        horizon = frame["horizon_bars"].iloc[0]
        effect = event_effect(y, bar, day, horizon_bars=horizon)
        found = table.loc[frame["hypothesis"].iloc[0]]
        assert found["p_value"] == pytest.approx(effect.p_value, rel=1e-9)
        wins, losses = y[y > 0], y[y < 0]
        share = len(wins) / len(y)
        parts = share * wins.mean() + (1 - share) * losses.mean()
        assert found["expectancy"] == pytest.approx(parts, rel=1e-9)


def test_few_events_have_no_p_value_and_no_losses_an_infinite_profit_factor():
    table = aggregate_evaluation(_events([0.1, 0.2, 0.3, 0.1]), min_events=5)
    assert np.isnan(table.loc["a", "p_value"])
    assert not np.isnan(table.loc["a", "t_value"])
    assert table.loc["a", "profit_factor"] == np.inf
    assert np.isnan(table.loc["a", "payoff_ratio"])


def test_no_events_and_unknown_outcomes_are_no_figures():
    assert aggregate_evaluation(_events([])).empty
    row = aggregate_evaluation(_events([np.nan, np.nan])).loc["a"]
    assert (row["n_events"], row["n_excluded"]) == (0, 2)
    assert row[["expectancy", "hit_rate", "sqn", "p_value"]].isna().all()


def test_wrong_frames_say_what():
    events = _events([0.1, 0.2])
    with pytest.raises(DataError, match="lack the columns \\['bar'\\]"):
        aggregate_evaluation(events.drop(columns="bar"))
    with pytest.raises(DataError, match="several horizons: \\[2, 3\\]"):
        aggregate_evaluation(events.assign(horizon_bars=[2, 3]))
    with pytest.raises(DataError, match="1 events have no hypothesis"):
        aggregate_evaluation(events.assign(hypothesis=["a", None]))
    with pytest.raises(DataError, match="infinite"):
        aggregate_evaluation(events.assign(outcome=[0.1, np.inf]))
