import numpy as np
import pytest
from scipy import stats

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.statistics.event_effects import (
    OutcomeWindows,
    ScanEvents,
    ScanPanel,
    event_effect,
    scan_events,
)

pytestmark = pytest.mark.slow

NAN = np.nan
FIELDS = ("n_events", "mean", "standard_error", "t_value", "p_value", "effective_days")


def _plain(y, bars, days, lag):
    """Every pair of events, weighted by the distance of their bars: the definition, squared."""
    known = ~np.isnan(y)
    y, bars, days = y[known], np.asarray(bars)[known], np.asarray(days)[known]
    u = y - y.mean()
    weight = np.maximum(1 - np.abs(bars[:, None] - bars) / (lag + 1), 0)
    error = np.sqrt(u @ weight @ u) / len(y)
    _, n_day = np.unique(days, return_counts=True)
    effective = n_day.sum() ** 2 / (n_day**2).sum()
    t = y.mean() / error
    return len(y), y.mean(), error, t, 2 * stats.t.sf(abs(t), effective - 1), effective


def _market(symbols=3, bars=400, seed=0):
    rng = np.random.default_rng(seed)
    prices = np.cumsum(rng.normal(size=(bars, symbols)) * 0.01, axis=0)
    prices[rng.random(prices.shape) < 0.01] = NAN
    conditions = rng.integers(-1, 3, size=(bars, symbols))
    n = 500
    events = ScanEvents(
        symbol=rng.integers(0, symbols, n), kind=rng.integers(0, 2, n), bar=rng.integers(0, bars, n)
    )
    return ScanPanel(prices, conditions, np.arange(bars) // 24), events


def _outcomes(panel, events, horizon, delay):
    end = events.bar + delay + horizon
    inside = end < len(panel.log_prices)
    y = np.full(len(end), NAN)
    symbol, bar = events.symbol[inside], events.bar[inside] + delay
    y[inside] = panel.log_prices[bar + horizon, symbol] - panel.log_prices[bar, symbol]
    return y


def test_event_effect_by_hand():
    # 1 3 2 6 at bars 0 1 5 9, days 0 0 0 1; e = -2 0 -1 3; lag 2: distance 1 weighs 2/3
    effect = event_effect([1, 3, 2, 6], [0, 1, 5, 9], [0, 0, 0, 1], horizon_bars=1)
    assert effect.lags == 2
    assert effect.mean == 3.0
    assert effect.standard_error == pytest.approx(np.sqrt((14 + 2 * 2 / 3 * (-2 * 0)) / 16))
    assert effect.effective_days == pytest.approx(16 / 10)
    expected = 2 * stats.t.sf(3 / np.sqrt(14 / 16), 0.6)
    assert effect.p_value == pytest.approx(expected)


@pytest.mark.parametrize("lags", [None, 0, 5])
@pytest.mark.parametrize("seed", range(3))
def test_event_effect_equals_the_sum_over_all_pairs(seed, lags):
    rng = np.random.default_rng(seed)
    bars = rng.integers(0, 300, 200)
    y = rng.normal(size=200) + 0.1
    y[::17] = NAN
    ours = event_effect(y, bars, bars // 24, horizon_bars=6, lags=lags)
    theirs = _plain(y, bars, bars // 24, 12 if lags is None else lags)
    assert ours.n_excluded == np.isnan(y).sum()
    for name, value in zip(FIELDS, theirs, strict=True):
        assert getattr(ours, name) == pytest.approx(value, rel=1e-9), name


def test_event_effect_does_not_depend_on_the_order_or_the_clocks_origin():
    rng = np.random.default_rng(5)
    bars = rng.choice(1_000, 80, replace=False)
    y, order = rng.normal(size=80), rng.permutation(80)
    one = event_effect(y, bars, bars // 24, horizon_bars=3)
    two = event_effect(y[order], bars[order] + 10**9, bars[order] // 24 - 7, horizon_bars=3)
    assert two == one


@pytest.mark.parametrize("scale", [1e6, 1e-8])
def test_event_effect_scales(scale):
    y, bars = np.random.default_rng(1).normal(size=60), np.arange(60) * 3
    one = event_effect(y, bars, bars // 24, horizon_bars=4)
    other = event_effect(y * scale, bars, bars // 24, horizon_bars=4)
    assert other.mean == pytest.approx(one.mean * scale, rel=1e-12)
    assert other.p_value == pytest.approx(one.p_value, rel=1e-9)


@pytest.mark.parametrize("outcomes", [[], [NAN, NAN], [0.3], [0.1] * 40, [0.0] * 40])
def test_event_effect_of_too_little_has_no_p_value(outcomes):
    bars = np.arange(len(outcomes))
    effect = event_effect(outcomes, bars, bars, horizon_bars=2)
    assert np.isnan(effect.p_value)
    assert effect.n_events + effect.n_excluded == len(outcomes)


@pytest.mark.parametrize(
    ("y", "bars", "days", "horizon", "error", "words"),
    [
        ([1.0, np.inf], [0, 1], [0, 0], 1, DataError, "event 1 has an infinite"),
        ([1.0, 2.0], [0], [0, 0], 1, DataError, "one entry each"),
        ([1.0, 2.0], [0, 1], [1, 0], 1, DataError, "days must follow"),
        ([1.0, 2.0], [0, 1], [0, 0], 0, ConfigError, "must be >= 1"),
        ([1.0, 2.0], [0, 2**40], [0, 0], 1, DataError, "below 2"),
        ([1.0, 2.0], [0, 1.5], [0, 0], 1, DataError, "bars have dtype float64"),
        ([1.0, 2.0], [0, 1], [0.0, NAN], 1, DataError, "days have dtype float64"),
    ],
)
def test_event_effect_with_bad_input_says_what(y, bars, days, horizon, error, words):
    with pytest.raises(error, match=words):
        event_effect(y, bars, days, horizon_bars=horizon)


@pytest.mark.parametrize("groups", [None, [0, 0, 0], [1, 0, 1]])
@pytest.mark.parametrize("delay", [0, 1])
def test_scan_equals_the_effect_of_each_cell(groups, delay):
    panel, events = _market()
    panel = ScanPanel(panel.log_prices, panel.conditions, panel.days, groups and np.array(groups))
    windows = OutcomeWindows([1, 7], delay_bars=delay)
    scan = scan_events(panel, events, windows, min_events=5)
    group = np.arange(3) if groups is None else np.array(groups)
    bucket = panel.conditions[events.bar, events.symbol]
    assert scan.n_events.shape == (group.max() + 1, 2, 2, 3)
    for g, kind, h, b in np.ndindex(scan.n_events.shape):
        y = _outcomes(panel, events, windows.horizons[h], delay)
        mine = (group[events.symbol] == g) & (events.kind == kind) & (bucket == b)
        bars = events.bar[mine]
        effect = event_effect(y[mine], bars, panel.days[bars], horizon_bars=windows.horizons[h])
        for name in FIELDS:
            ours = getattr(scan, name)[g, kind, h, b]
            value = getattr(effect, name)
            if name == "p_value" and effect.n_events < 5:
                value = NAN
            np.testing.assert_allclose(ours, value, rtol=1e-9, err_msg=name)


def test_scan_does_not_depend_on_order_layout_or_writability():
    panel, events = _market()
    rank = np.lexsort((events.bar, events.kind, events.symbol))
    ordered = ScanEvents(*(getattr(events, n)[rank] for n in ("symbol", "kind", "bar")))
    columns = np.asfortranarray(panel.log_prices)
    columns.setflags(write=False)
    other = ScanPanel(columns, np.asfortranarray(panel.conditions), panel.days + 5)
    windows = OutcomeWindows(np.array([2, 5]), lags=[1, 4])
    one, two = scan_events(panel, events, windows), scan_events(other, ordered, windows)
    for name in FIELDS:
        np.testing.assert_allclose(getattr(two, name), getattr(one, name), rtol=1e-9)


def test_scan_permuting_symbols_permutes_the_groups():
    panel, events = _market()
    order = np.array([2, 0, 1])
    other = ScanPanel(panel.log_prices[:, order], panel.conditions[:, order], panel.days)
    moved = ScanEvents(np.argsort(order)[events.symbol], events.kind, events.bar)
    windows = OutcomeWindows([3])
    one, two = scan_events(panel, events, windows), scan_events(other, moved, windows)
    np.testing.assert_array_equal(two.t_value, one.t_value[order])


def test_scan_of_no_events_is_empty():
    panel, _ = _market()
    none = np.empty(0, dtype=np.int64)
    scan = scan_events(panel, ScanEvents(none, none, none), OutcomeWindows([1, 2]))
    assert scan.n_events.shape == (3, 0, 2, 3)


def test_scan_with_normal_tails_and_few_events():
    panel, events = _market()
    scan = scan_events(panel, events, OutcomeWindows([1]), min_events=20, tail="normal")
    enough = scan.n_events >= 20
    assert 0 < enough.sum() < enough.size
    assert np.isnan(scan.p_value[~enough]).all()
    expected = 2 * stats.norm.sf(np.abs(scan.t_value[enough]))
    np.testing.assert_allclose(scan.p_value[enough], expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"conditions": np.zeros((2, 2), dtype=int)}, "alike"),
        ({"conditions": np.full((400, 3), NAN)}, "conditions have dtype float64"),
        ({"days": np.zeros(3)}, "days"),
        ({"days": np.arange(400)[::-1]}, "must not decrease"),
        ({"groups": np.zeros(2)}, "groups"),
        ({"groups": np.array([0, -1, 0])}, "groups run from -1"),
        ({"conditions": np.full((400, 3), 200)}, "at most 127"),
    ],
)
def test_scan_of_a_panel_that_does_not_fit_says_what(changes, words):
    panel, events = _market()
    with pytest.raises(DataError, match=words):
        scan_events(ScanPanel(**(vars(panel) | changes)), events, OutcomeWindows([1]))


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_scan_that_meets_an_infinite_price_names_it(bad):
    panel, events = _market()
    prices = panel.log_prices.copy()
    prices[events.bar[0] + 1, events.symbol[0]] = bad
    seen = ScanPanel(prices, np.zeros_like(panel.conditions), panel.days)
    with pytest.raises(DataError, match=f"symbol {events.symbol[0]} at bar {events.bar[0] + 1} is"):
        scan_events(seen, events, OutcomeWindows([3]))


@pytest.mark.parametrize(
    ("column", "words"), [("symbol", "outside the panel"), ("bar", "outside"), ("kind", "as many")]
)
def test_scan_of_events_that_do_not_fit_says_what(column, words):
    panel, events = _market()
    wrong = np.append(events.kind, 0) if column == "kind" else getattr(events, column) + 400
    with pytest.raises(DataError, match=words):
        scan_events(panel, ScanEvents(**(vars(events) | {column: wrong})), OutcomeWindows([1]))


@pytest.mark.parametrize(
    "windows", [OutcomeWindows([0]), OutcomeWindows([1], -1), OutcomeWindows([1], 1, -1)]
)
def test_scan_of_impossible_windows_is_refused(windows):
    panel, events = _market()
    with pytest.raises(ConfigError, match="horizons"):
        scan_events(panel, events, windows)


@pytest.mark.slow
@pytest.mark.parametrize("lags", [0, 3, 11])
def test_scan_equals_a_statsmodels_regression_on_a_dummy_in_calendar_time(lags):
    import statsmodels.api as sm

    rng = np.random.default_rng(2)
    prices = np.cumsum(rng.normal(size=3_000) * 0.01)
    bars = np.flatnonzero(rng.random(3_000) < 0.05)
    zeros = np.zeros_like(bars)
    panel = ScanPanel(prices[:, None], np.zeros((3_000, 1), int), np.arange(3_000) // 288)
    windows = OutcomeWindows([12], lags, delay_bars=0)
    scan = scan_events(panel, ScanEvents(zeros, zeros, bars), windows, tail="normal")
    known = bars[bars + 12 < 3_000]
    y, x = np.zeros(3_000), np.zeros(3_000)
    y[known], x[known] = prices[known + 12] - prices[known], 1.0
    options = {"maxlags": lags, "use_correction": False}
    theirs = sm.OLS(y, x).fit(cov_type="HAC", cov_kwds=options)
    assert scan.mean.item() == pytest.approx(theirs.params[0], rel=1e-9)
    assert scan.t_value.item() == pytest.approx(theirs.tvalues[0], rel=1e-9)
    assert scan.p_value.item() == pytest.approx(theirs.pvalues[0], rel=1e-9)
