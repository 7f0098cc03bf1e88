"""Named rules, answered by hand on a few bars each."""

import math
from datetime import timedelta

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.quant.strategies import rules as named
from quant_assets.quant.strategies.columns import PanelRows
from quant_assets.quant.strategies.rules.base import AllOf, AnyOf, Not, rules
from quant_assets.quant.strategies.tester import hand_made_bars


def held(rule, series, **kwargs):
    """Rows on which a rule holds, of one series."""
    bars = hand_made_bars({"A": series}, **kwargs)
    return np.flatnonzero(rule.holds(PanelRows(bars))[:, 0]).tolist()


def volumes(closes, traded):
    return [(c, c, c, c, v) for c, v in zip(closes, traded, strict=True)]


# With n = 2 and k = 1 the bands are the lower and the higher of the two closes.
BANDS = [(10, 10, 10, 10), (10, 12, 10.5, 12), (11.5, 11.5, 9, 11), (11, 13, 11, 13)]
RISING = [(9 + i, 10 + i, 8 + i, 9 + i) for i in range(5)]  # only +DM: ADX is 100 from row 3 on
WIDE = [*[(10, 14, 6, 10)] * 4, (10, 30, 10, 30)]
GAPS = [
    (100, 100, 100, 100),
    (101, 101, 100, 100),
    (102, 102, 100, 100),
    (98.5, 100, 98.5, 100),
]
# Wilder, n = 2: RSI 50, 83.3, 27.8 on rows 2 to 4.
SWING = [10, 11, 10, 12, 9]
# EMA(1) - EMA(2) = 1, 0, 1, -1.33 on rows 1 to 4; less its EMA(2): -0.5, 0.17, -0.72.
MACD = [10, 12, 11, 14, 9]
SPELLS = {"fast": 1, "slow": 2, "signal": 2}
TABLE = [
    ("bb_lower_touch", {"period": 2, "std_dev": 1.0}, BANDS, [2, 3]),
    ("bb_upper_touch", {"period": 2, "std_dev": 1.0}, BANDS, [1, 3]),
    ("rsi_overbought", {"period": 2}, SWING, [3]),
    ("rsi_oversold", {"period": 2}, SWING, [4]),
    # d = (c[t] - c[t-1]) / 2: -0.5, 0, 0.5, 1, -1
    ("ma_cross_up", {"fast": 1, "slow": 2}, [10, 9, 9, 10, 12, 10], [3]),
    ("ma_cross_down", {"fast": 1, "slow": 2}, [10, 9, 9, 10, 12, 10], [5]),
    ("ma_cross_down", {"fast": 1, "slow": 2}, [10, 11, 11, 10], [3]),
    ("price_above_ma", {"period": 2}, [10, 11, 11, 10], [1]),
    ("price_below_ma", {"period": 2}, [10, 11, 11, 10], [3]),
    ("macd_cross_up", SPELLS, MACD, [3]),
    ("macd_cross_down", SPELLS, MACD, [4]),
    ("donchian_breakout_high", {"period": 2}, [10, 11, 12, 11, 10], [2]),
    ("donchian_breakout_low", {"period": 2}, [10, 11, 12, 11, 10], [4]),
    # EMA(2): 10, 12.67, 10.22; ranges 0, 4, 5: edges 10, 13.47 and 9.22
    (
        "keltner_breakout",
        {"period": 2, "atr_period": 1, "multiple": 0.2},
        [10, 10, 14, 9],
        [2],
    ),
    (
        "keltner_breakdown",
        {"period": 2, "atr_period": 1, "multiple": 0.2},
        [10, 10, 14, 9],
        [3],
    ),
    ("atr_breakout", {"period": 1}, [10, 12, 13, 17, 12], [3]),
    ("atr_breakdown", {"period": 1}, [10, 12, 13, 17, 12], [4]),
    ("momentum_above", {"period": 2}, SWING, [3]),
    ("momentum_below", {"period": 2}, SWING, [4]),
    ("momentum_above", {"period": 2, "threshold": 10.0}, SWING, []),  # 9.1 %
    ("adx_trending", {"period": 2}, RISING, [3, 4]),
    ("adx_ranging", {"period": 2}, RISING, []),
    ("adx_ranging", {"period": 2, "threshold": 101.0}, RISING, [3, 4]),
    ("stochastic_overbought", {"period": 2, "smooth": 1}, [10, 12, 11, 11], [1]),
    ("stochastic_oversold", {"period": 2, "smooth": 1}, [10, 12, 11, 11], [2, 3]),
    ("volume_spike", {"period": 2}, volumes([9] * 5, [10, 10, 10, 25, 20]), [3]),
    ("new_high", {"period": 2}, [10, 11, 12, 12, 10], [2]),
    ("new_low", {"period": 2}, [10, 11, 12, 12, 10], [4]),
    # scores 1.15, -1 and -0.58
    ("zscore_above", {"period": 3, "threshold": 1.0}, [10, 10, 13, 7, 7], [2]),
    ("zscore_below", {"period": 3, "threshold": -0.9}, [10, 10, 13, 7, 7], [3]),
    ("day_of_week", {"days": ("monday", "sunday")}, [1] * 8, [0, 6, 7]),  # from a Monday on
    ("gap_up", {"fraction": 0.01}, GAPS, [2]),
    ("gap_down", {"fraction": 0.01}, GAPS, [3]),
    ("cci_above", {"period": 2, "threshold": 60.0}, [10, 12, 11], [1]),  # it is +-66.7
    ("cci_below", {"period": 2, "threshold": -60.0}, [10, 12, 11], [2]),
    ("mfi_overbought", {"period": 2}, volumes([10, 11, 12, 11, 10], [1] * 5), [2]),  # 100, 52, 0
    ("mfi_oversold", {"period": 2}, volumes([10, 11, 12, 11, 10], [1] * 5), [4]),
    # line 13 above on row 1, 13 below on row 2, 11.5 above on row 3
    ("supertrend_up", {"period": 1, "multiple": 0.5}, [10, 12, 14, 9], [2]),
    ("supertrend_down", {"period": 1, "multiple": 0.5}, [10, 12, 14, 9], [1, 3]),
    # channel 10 +- 4 on rows 2 and 3, 16.3 to 30.3 on row 4, where the bands are 10 and 30
    ("bollinger_squeeze", {"period": 2, "std_dev": 1.0, "multiple": 0.5}, WIDE, [2, 3]),
    ("price_above_vwap", {"period": 2}, volumes([10, 12, 11], [1, 3, 1]), [1]),  # 11.5, 11.75
    ("price_below_vwap", {"period": 2}, volumes([10, 12, 11], [1, 3, 1]), [2]),
    ("consecutive_up", {"bars": 2}, [1, 2, 3, 3, 2, 1], [2]),
    ("consecutive_down", {"bars": 2}, [1, 2, 3, 3, 2, 1], [5]),
    ("volatility_above", {"period": 1}, [100, 101, 110], [2]),  # 0.99 and 8.2 percent
    ("volatility_below", {"period": 1}, [100, 101, 110], [1]),
]


@pytest.mark.parametrize(("name", "parameters", "series", "expected"), TABLE)
def test_rule_holds_on_the_bars_worked_out_by_hand(name, parameters, series, expected):
    assert held(rules()[name](**parameters), series) == expected


def test_every_rule_has_a_row_in_the_table():
    elsewhere = {"time_of_day", "funding_above", "funding_below"}
    assert {name for name, *_ in TABLE} | elsewhere == set(rules())


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("22:00", "02:00", [0, 1, 22, 23]),
        ("09:30", "11:00", [10]),
        ("00:00", "00:00", [*range(24)]),
    ],
)
def test_time_of_day_is_the_open_time_in_utc(start, end, expected):
    rule = named.TimeOfDay(start=start, end=end)
    assert held(rule, [1.0] * 24, bar_length=timedelta(hours=1)) == expected


def test_funding_rules_read_the_extra_and_take_unknown_rates_as_unknown():
    extras = {"funding_rate": [0.0001, np.nan, -0.0001, 0.0]}
    above, below = named.FundingAbove(), named.FundingBelow()
    assert held(above, [1.0] * 4, extras=extras) == [0]
    assert held(below, [1.0] * 4, extras=extras) == [2]
    assert held(~above, [1.0] * 4, extras=extras) == [2, 3]


def test_conditions_join_by_three_valued_logic():
    # momentum over 2 bars is unknown on rows 0 and 1, then 0, +1, -1; the close rises on 1 and 3
    rising, up = named.ConsecutiveUp(bars=1), named.MomentumAbove(period=2)
    assert held(rising & up, SWING) == [3]
    assert held(rising | up, SWING) == [1, 3]
    assert held(~up, SWING) == [2, 4]
    # on row 1 the first holds and the second is unknown: neither "both" nor "not both"
    assert held(~(rising & up), SWING) == [2, 4]
    assert held(~(rising | up), SWING) == [2, 4]
    assert held(~~up, SWING) == held(up, SWING)


def test_joined_conditions_know_lines_and_lookback_of_their_members():
    fast, slow = named.MomentumAbove(period=2), named.NewHigh(period=9)
    for joined in (AllOf((fast, slow)), AnyOf((fast, slow)), Not(fast) & slow):
        assert joined.lookback == 9
        assert set(joined.lines()) == {*fast.lines(), *slow.lines()}
    with pytest.raises(ConfigError, match="no condition"):
        AllOf(())


def test_gap_row_is_unknown_to_every_rule_that_looks_at_prices():
    series = [(9, 9, 9, 9, 1.0)] * 2 + [(math.nan,) * 4 + (0.0,)] + [(9, 9, 9, 9, 1.0)] * 2
    for name, parameters in (("gap_up", {}), ("consecutive_up", {"bars": 1})):
        assert held(~rules()[name](**parameters), series) == [1, 4]


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("ma_cross_up", {"fast": 9, "slow": 9}, "fast must be less"),
        ("ma_cross_up", {"average": "best"}, "known: sma"),
        ("rsi_oversold", {"period": 0}, "a whole number of rows"),
        ("rsi_oversold", {"threshold": math.inf}, "must be finite"),
        ("consecutive_up", {"bars": True}, "whole number"),
        ("time_of_day", {"start": "25:00"}, "write it as"),
        ("day_of_week", {"days": ("mon",)}, "known: monday"),
        ("day_of_week", {"days": ()}, "known: monday"),
    ],
)
def test_rule_refuses_parameters_that_mean_nothing(name, parameters, message):
    with pytest.raises(ConfigError, match=message):
        rules()[name](**parameters)
