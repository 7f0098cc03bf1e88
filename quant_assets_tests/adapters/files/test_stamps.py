"""Stamps: units by digits, nothing guessed. Expected instants were written by hand."""

import numpy as np
import pandas as pd

from quant_assets.adapters.files.stamps import from_integers, from_text, one_unit_later

NEW_YEAR = {
    "s": 1704067200,
    "ms": 1704067200_000,
    "us": 1704067200_000000,
    "ns": 1704067200_000000_999,
}
MIDNIGHT = np.datetime64("2024-01-01T00:00:00", "us")


def test_each_unit_has_its_digits() -> None:
    for unit, value in NEW_YEAR.items():
        values = np.array([value])
        assert from_integers(values, unit)[0] == MIDNIGHT  # type: ignore[arg-type]
        others = [name for name in NEW_YEAR if name != unit]
        assert np.isnat(from_integers(values, *others)[0])  # type: ignore[arg-type]


def test_no_integer_is_out_of_bounds() -> None:
    values = np.array([np.iinfo(np.int64).min, -1, 0, np.iinfo(np.int64).max])
    assert np.isnat(from_integers(values, "s", "ms", "us", "ns")).tolist() == [True] * 3 + [False]


def test_the_instant_after_a_closing_time_is_one_unit_later() -> None:
    closing = np.array([1704067259_999, 1704067259_999999])
    later = one_unit_later(closing, from_integers(closing, "ms", "us"))
    assert later.tolist() == [MIDNIGHT.item() + pd.Timedelta("1min").to_pytimedelta()] * 2


def test_texts_fit_their_form_wholly() -> None:
    words = pd.Series(["2024-01-01 00:05:00", "2024-01-01", "x", ""], dtype="str")
    stamps = from_text(words, "%Y-%m-%d %H:%M:%S")
    assert stamps[0] == np.datetime64("2024-01-01T00:05:00", "us")
    assert np.isnat(stamps[1:]).all()
