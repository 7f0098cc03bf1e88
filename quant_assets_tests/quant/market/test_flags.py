"""Stale prices, spikes and split ratios on stored bars; nothing looks ahead."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.adjustments import Adjustments
from quant_assets.contracts.doubts import Doubts
from quant_assets.quant.market import flag_kernel
from quant_assets.quant.market.flags import FlagLimits, flag_bars
from quant_assets_tests.quant.market.frames import bars_frame, timestamps

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
LIMITS = FlagLimits(scale_rows=40, least_rows=10)


def walk(n_rows: int, *, seed: int = 1, scale: float = 0.002) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return 100.0 * np.exp(np.cumsum(generator.normal(0.0, scale, n_rows)))


def frame(closes: dict[str, np.ndarray], **how: object) -> pd.DataFrame:
    """Flat bars; a NaN close is a gap row."""
    return bars_frame({name: list(values) for name, values in closes.items()}, step=HOUR, **how)


def found(bars: pd.DataFrame, **how: object) -> list[tuple[int, str, str]]:
    """Hour since the start, symbol and reason of every flag."""
    flags = Doubts.check_frame(flag_bars(bars, limits=LIMITS, **how), where="flags")
    assert (flags.available_at - flags.ts == HOUR).all()
    hours = (flags.ts - bars.ts.iloc[0]) // HOUR
    return list(zip(hours.tolist(), flags.symbol, flags.reason, strict=True))


def test_ordinary_bars_have_no_flag():
    assert found(frame({"A": walk(200), "B": walk(200, seed=2)})) == []
    assert flag_bars(bars_frame({})).empty


def test_spike_of_one_bar_is_flagged_and_the_way_back_is_not():
    close = walk(120)
    close[60] *= 100.0
    bars = frame({"A": close, "B": walk(120, seed=2)})
    assert found(bars) == [(60, "A", "spike")]
    assert flag_bars(bars, limits=LIMITS)["value"].iloc[0] > 100


def test_value_is_the_log_return_over_the_median_of_those_before():
    close = walk(60)
    close[50] *= 0.5
    bars = frame({"A": close}).assign(open=close)
    returns = np.abs(np.diff(np.log(close[:50])))[-40:]
    expected = np.log(close[50] / close[49]) / (1.4826 * np.median(returns))
    flags = flag_bars(bars, limits=LIMITS)
    assert flags.loc[flags.reason == "spike", "value"].tolist() == pytest.approx([expected])


def test_a_new_level_is_flagged_once():
    close = walk(120)
    close[60:] *= 1.7
    assert found(frame({"A": close})) == [(60, "A", "spike")]


def test_a_wick_is_a_spike_too():
    bars = frame({"A": walk(120)})
    high = bars.high.copy()
    high.iloc[70] *= 1.5
    assert found(bars.assign(high=high)) == [(70, "A", "spike")]


def test_small_moves_of_a_still_market_are_no_spikes():
    close = np.full(120, 100.0)
    close[1::2] += 0.01
    close[60:] *= 1.05
    assert found(frame({"A": close})) == []


def test_first_rows_and_rows_after_a_gap_have_no_scale():
    close = walk(60)
    close[5] *= 100.0
    assert [row for row in found(frame({"A": close})) if row[2] == "spike"] == []
    gapped = walk(120)
    gapped[60] = np.nan
    gapped[61:] *= 1.7
    assert found(frame({"A": gapped})) == []


def test_equal_prices_with_volume_are_stale_from_the_sixth_bar():
    close = walk(60)
    close[20:29] = close[20]
    bars = frame({"A": close, "B": walk(60, seed=2)})
    assert found(bars) == [(row, "A", "stale") for row in (25, 26, 27, 28)]
    assert flag_bars(bars, limits=LIMITS)["value"].tolist() == [6.0, 7.0, 8.0, 9.0]


def test_equal_prices_without_volume_are_not_stale():
    close = walk(60)
    close[20:40] = close[20]
    bars = frame({"A": close})
    volume = bars.volume.copy()
    volume.iloc[20:40] = 0.0
    assert found(bars.assign(volume=volume)) == []
    volume.iloc[33:40] = 5.0
    assert found(bars.assign(volume=volume)) == [(38, "A", "stale"), (39, "A", "stale")]


def test_a_gap_ends_a_stale_run():
    close = np.full(11, 100.0)
    close[5] = np.nan
    assert found(frame({"A": close})) == []


@pytest.mark.parametrize("ratio", [2.0, 3.0, 5.0, 10.0, 1000.0])
@pytest.mark.parametrize("way", [1, -1])
def test_jump_by_a_split_ratio_is_flagged(ratio, way):
    close = walk(60)
    close[30:] *= ratio**way * 1.01
    flags = [row for row in found(frame({"A": close})) if row[2] == "ratio jump"]
    assert flags == [(30, "A", "ratio jump")]


def test_jump_over_a_gap_is_flagged_and_other_ratios_are_not():
    close = walk(60)
    close[30:32] = np.nan
    close[32:] *= 0.1
    assert found(frame({"A": close})) == [(32, "A", "ratio jump")]
    other = walk(60)
    other[30:] *= 2.5
    assert [row[2] for row in found(frame({"A": other}))] == ["spike"]


def test_a_wick_at_the_open_is_no_jump():
    bars = frame({"A": walk(60)})
    open_ = bars.open.copy()
    open_.iloc[30] *= 2.0
    assert found(bars.assign(open=open_)) == []


def split_of(symbol: str, ts: pd.Timestamp) -> pd.DataFrame:
    """A 2:1 split, known when it takes effect."""
    event = pd.DataFrame(
        {
            "ts": timestamps([ts]),
            "available_at": timestamps([ts]),
            "symbol": pd.Series([symbol], dtype="str"),
            "kind": pd.Series(["split"], dtype="str"),
            "price_factor": [0.5],
        }
    )
    return Adjustments.check_frame(event, where="the test's split")


def test_factor_that_was_known_explains_jump_and_spike():
    close = walk(60)
    close[30:] *= 0.5
    bars = frame({"A": close, "B": walk(60, seed=2)})
    ts = bars.ts.iloc[0] + 30 * HOUR
    event = split_of("A", ts)
    assert found(bars, adjustments=event) == []
    assert [row[2] for row in found(bars)] == ["ratio jump", "spike"]
    late = event.assign(available_at=timestamps([ts + 5 * HOUR]))
    assert len(found(bars, adjustments=late)) == 2
    other = event.assign(symbol=pd.Series(["C"], dtype="str"))
    assert len(found(bars, adjustments=other)) == 2


def test_the_way_back_from_a_spike_is_none_when_it_falls_on_a_split():
    close = walk(60)
    close[29] *= 100.0
    close[30:] *= 0.5
    bars = frame({"A": close})
    ts = bars.ts.iloc[0] + 30 * HOUR
    assert found(bars, adjustments=split_of("A", ts)) == [(29, "A", "spike")]


def odd_bars(n_rows: int = 160) -> pd.DataFrame:
    closes = {f"S{seed}": walk(n_rows, seed=seed) for seed in range(4)}
    closes["S0"][50] *= 100.0
    closes["S1"][70:] *= 0.5
    closes["S2"][90:105] = closes["S2"][90]
    closes["S3"][110:113] = np.nan
    closes["S3"][113:] *= 10.0
    return frame(closes)


def test_later_bars_change_no_flag():
    bars = odd_bars()
    whole = flag_bars(bars, limits=LIMITS)
    assert set(whole.reason) == {"spike", "stale", "ratio jump"}
    for hours in (40, 51, 71, 95, 112, 115, 159):
        cut = bars[bars.ts < bars.ts.iloc[0] + hours * HOUR].reset_index(drop=True)
        expected = whole[whole.ts < bars.ts.iloc[0] + hours * HOUR].reset_index(drop=True)
        pd.testing.assert_frame_equal(flag_bars(cut, limits=LIMITS), expected, check_exact=True)


def test_other_symbols_change_no_flag():
    bars = odd_bars()
    whole = flag_bars(bars, limits=LIMITS)
    for symbol in ("S0", "S3"):
        alone = bars[bars.symbol == symbol].reset_index(drop=True)
        expected = whole[whole.symbol == symbol].reset_index(drop=True)
        pd.testing.assert_frame_equal(flag_bars(alone, limits=LIMITS), expected)


def test_scale_is_the_median_of_the_window_before_the_row():
    generator = np.random.default_rng(5)
    close = np.exp(np.cumsum(np.round(generator.normal(0, 1e-3, 300), 4)))  # with ties
    begins = np.array([0, len(close)])
    joined = np.r_[False, np.ones(len(close) - 1, dtype=bool)]
    nothing = np.full(len(close), np.nan)
    z, _, _ = flag_kernel.spikes(
        (nothing, close, nothing, np.ones(len(close))), joined, begins, (25, 10), (1e9, 0.1, 1e-9)
    )
    returns = pd.Series(np.log(close)).diff()
    scale = 1.4826 * returns.abs().rolling(25, min_periods=10).median().shift(1)
    np.testing.assert_allclose(z, returns / scale.clip(lower=1e-9), rtol=1e-9)
