"""Short cuts for clean files give what the long way gives, and are taken where they should be."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.quant.market.row_checks import bars as bar_rows
from quant_assets.quant.market.row_checks import check as door
from quant_assets.quant.market.row_checks import sheet as sheets
from quant_assets_tests.quant.market.row_checks.raws import BTC, ETH, bars, checked, grid

pytestmark = pytest.mark.slow


def long_way(monkeypatch):
    """Take every short cut away."""
    monkeypatch.setattr(bar_rows, "_fit", lambda *_: False)
    monkeypatch.setattr(bar_rows, "_all_follow", lambda *_: False)
    monkeypatch.setattr(door, "_places", lambda _, rows: rows)
    monkeypatch.setattr(sheets, "_coded", factorized)


def factorized(told):
    codes, symbols = pd.factorize(told, sort=True)
    return codes.astype(np.int64), symbols


@settings(max_examples=60, deadline=None)
@given(
    n_rows=st.integers(1, 12),
    symbols=st.sampled_from([[BTC], [BTC, ETH], [ETH, None]]),
    damage=st.sampled_from(["none", "shuffled", "off grid", "gap", "crossed", "negative", "nan"]),
    seed=st.integers(0, 1000),
)
def test_any_delivery_has_the_outcome_of_the_long_way(n_rows, symbols, damage, seed):
    frame = delivery(n_rows, symbols, damage, np.random.default_rng(seed))
    short = checked("bars", frame, max_share=1.0)
    with pytest.MonkeyPatch.context() as patch:
        long_way(patch)
        long = checked("bars", frame, max_share=1.0)
    pd.testing.assert_frame_equal(short.frame, long.frame)
    pd.testing.assert_frame_equal(short.doubts, long.doubts)
    assert short.counts == long.counts


def delivery(n_rows, symbols, damage, rng):
    times = [t for t in grid(n_rows) for _ in symbols]
    frame = bars(len(times), ts=times, symbol=symbols * n_rows)
    row = int(rng.integers(len(frame)))
    if damage == "shuffled":
        frame = frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)
    elif damage == "off grid":
        frame.loc[row, "ts"] += pd.Timedelta("7s")
    elif damage == "gap":
        frame = frame.drop(index=row).reset_index(drop=True)
    elif damage == "crossed":
        frame.loc[row, ["high", "low"]] = [1.0, 500.0]
    elif damage == "negative":
        frame.loc[row, "low"] = -1.0
    elif damage == "nan":
        frame.loc[row, "close"] = np.nan
    return frame


@pytest.mark.parametrize("symbols", [["A"] * 5, ["A", "B", "A"], ["B", "A"], [None, "A"], ["A"]])
def test_codes_of_symbols_are_those_of_pandas(symbols):
    told = pd.Series(symbols, dtype="str", name="symbol")
    codes, known = sheets._coded(told)
    expected, names = factorized(told)
    np.testing.assert_array_equal(codes, expected)
    assert codes.dtype == expected.dtype
    pd.testing.assert_index_equal(known, names)


def test_a_clean_file_of_one_symbol_takes_the_short_cuts(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the long way")

    monkeypatch.setattr(sheets.pd, "factorize", refuse)
    monkeypatch.setattr(door, "pack", refuse)
    monkeypatch.setattr(bar_rows, "_ticks", refuse)
    result = checked("bars", bars(6, ts=grid(6), symbol=[BTC] * 6))
    assert len(result.frame) == 6
