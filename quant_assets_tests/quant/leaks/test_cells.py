"""Cells that are made again: what tells a leak from chance, and from an honest plug-in."""

import random
from datetime import UTC, datetime
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.leaks.cells import Remade, examine_cell, with_noise
from quant_assets.quant.leaks.parts import as_one, by_columns, by_rows, changed_values

DATA, LATER = np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 9.0])
NAMES = ("honest", "kept", "drawn", "late")


class Honest:
    def value(self, data: Any) -> float:
        return float(data[:2].sum())


class Kept:
    """Remembers the largest number that it was ever given."""

    most: ClassVar[list[float]] = []

    def value(self, data: Any) -> float:
        self.most.append(float(data.max()))
        return max(self.most)


class Drawn:
    def value(self, data: Any) -> float:
        return float(np.random.default_rng().random())


class Dated:
    def value(self, data: Any) -> float:
        return 1.0 if datetime.now(UTC).year > 1999 else float(data[0])


KINDS = {"honest": Honest, "kept": Kept, "drawn": Drawn, "late": Dated}


def decided(data: Any, names: tuple[str, ...] = NAMES) -> pd.DataFrame:
    values = [KINDS[name]().value(data) for name in names]
    return pd.DataFrame({"symbol": "A", "rule": list(names), "value": values})


def remade(names: tuple[str, ...] = NAMES, **changes: Any) -> Remade:
    given = {
        "asset": "pool",
        "stored": decided(DATA, names),
        "parts": by_rows("rule"),
        "otherwise": lambda: decided(LATER, names),
        "again": lambda: decided(DATA, names),
        "kinds": {name: KINDS[name] for name in names},
    }
    return Remade(**{**given, **changes})


@pytest.fixture(autouse=True)
def _forgotten():
    Kept.most.clear()


def test_leak_chance_and_clock_are_told_apart_from_honest_parts():
    found = {v.plug_in: (v.verdict, v.trusted, v.changed) for v in examine_cell(remade())}
    assert found == {
        "honest": ("trusted", True, 0),
        "kept": ("leak", False, 1),
        "drawn": ("not_deterministic", False, 1),
        "late": ("not_deterministic", False, 0),
    }


def test_honest_cell_is_made_again_twice_and_leaves_no_trace():
    calls: list[str] = []
    cell = remade(
        ("honest",),
        otherwise=lambda: calls.append("later") or decided(LATER, ("honest",)),
        again=lambda: calls.append("again") or decided(DATA, ("honest",)),
    )
    before = random.getstate()
    assert [v.verdict for v in examine_cell(cell)] == ["trusted"]
    assert calls == ["later", "again"]
    assert random.getstate() == before


def test_plug_ins_forget_the_noise_that_they_were_shown():
    cell = remade(("kept",))
    before = list(Kept.most)
    examine_cell(cell)
    assert Kept.most == before


def test_cell_that_cannot_be_made_again_is_undecided():
    def fails() -> pd.DataFrame:
        raise DataError("no bars")

    (found,) = examine_cell(remade(("honest",), again=fails))
    assert (found.verdict, found.text) == (
        "undecided",
        "could not be made again: DataError: no bars",
    )
    (found,) = examine_cell(remade(("honest",), otherwise=fails))
    assert (found.verdict, found.text) == ("trusted", "the other future failed: DataError: no bars")


def test_part_that_came_or_went_is_a_leak_and_a_silent_one_is_not_judged():
    stored = decided(DATA, ("honest",))
    more = pd.concat([stored, stored.assign(rule="new")], ignore_index=True)
    found = examine_cell(remade(("honest",), again=lambda: more))
    assert [(v.plug_in, v.verdict) for v in found] == [("honest", "trusted"), ("new", "leak")]
    scores = pd.DataFrame({"alpha": [0.5], "value_dumb": [np.nan], "value_rank": [0.1]})
    parts = by_columns("value_", "blend")
    cell = remade(("honest",), stored=scores, parts=parts, again=lambda: scores)
    assert [v.plug_in for v in examine_cell(cell)] == ["blend", "rank"]


def test_changed_values_are_counted_to_the_last_bit():
    one = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": ["x", "y", None]})
    assert changed_values(one, one.copy()) == 0
    assert changed_values(one, one.assign(a=[np.nextafter(1.0, 2.0), np.nan, 3.0])) == 1
    assert changed_values(one, one.assign(b=["x", "z", "w"])) == 2
    assert changed_values(one, one.iloc[:2]) == one.size
    assert list(as_one("all")(one)) == ["all"]


def test_noise_keeps_names_times_and_the_past():
    frame = pd.DataFrame(
        {
            "ts": pd.date_range("2020", periods=6, tz="UTC"),
            "symbol": list("ABABAB"),
            "close": np.arange(1.0, 7.0),
            "is_gap": [True, False] * 3,
        }
    )
    later = np.arange(6) > 2
    found = with_noise(frame, later, np.random.default_rng(0))
    assert found[["ts", "symbol"]].equals(frame[["ts", "symbol"]])
    assert found[:3].equals(frame[:3])
    assert list(found.dtypes) == list(frame.dtypes)
    assert (found["close"][3:] != frame["close"][3:]).all()
    assert (found["close"] > 0.0).all()
    assert with_noise(frame, np.zeros(6, bool), np.random.default_rng(0)) is frame
