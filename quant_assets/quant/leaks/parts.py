"""What a stored frame is made of, by the plug-in that made it, and where two frames differ."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

Parts = Callable[[pd.DataFrame], Mapping[str, pd.DataFrame]]


def by_rows(column: str) -> Parts:
    """Each plug-in made the rows that bear its name."""

    def split(frame: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
        return {str(name): rows for name, rows in frame.groupby(column, sort=True)}

    return split


def by_columns(prefix: str, rest: str) -> Parts:
    """Each plug-in made the column `<prefix><its name>`; `rest` is called what the others hold."""

    def split(frame: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
        own = [name for name in frame.columns if name.startswith(prefix)]
        found = {name.removeprefix(prefix): frame[[name]] for name in own}
        return dict(sorted({**found, rest: frame.drop(columns=own)}.items()))

    return split


def as_one(name: str) -> Parts:
    """All of it was made at once."""
    return lambda frame: {name: frame}


def says_something(part: pd.DataFrame) -> bool:
    """Whether a part holds any value beside its keys; a signal without an opinion does not."""
    return not part.empty and bool(part.notna().to_numpy().any())


def changed_values(one: pd.DataFrame, other: pd.DataFrame) -> int:
    """How many values of two frames differ, to the last bit; all of them where shapes differ."""
    if one.shape != other.shape or not one.columns.equals(other.columns):
        return max(one.size, other.size, 1)
    changed = 0
    for name in one.columns:
        mine, theirs = one[name].array, other[name].array
        if not mine.equals(theirs):
            same = np.asarray(mine == theirs, dtype=bool) | (pd.isna(mine) & pd.isna(theirs))
            changed += int((~same).sum())
    return changed
