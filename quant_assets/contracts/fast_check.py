"""A compiled check that only ever says 'certainly valid'; pandera judges and words all the rest.

pandera costs some 2 to 5 ms per small frame, which is most of a cell's time. The same rules read
from the same schema cost a tenth of that when they are plain array comparisons. A rule that is
not known here makes the check say 'not certain', never 'valid'; a mutation test holds it to that.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Values = npt.NDArray[Any]

_RULES: dict[str, Callable[[Values, Mapping[str, Any]], bool]] = {
    "greater_than": lambda v, s: bool((v > s["min_value"]).all()),
    "greater_than_or_equal_to": lambda v, s: bool((v >= s["min_value"]).all()),
    "less_than": lambda v, s: bool((v < s["max_value"]).all()),
    "less_than_or_equal_to": lambda v, s: bool((v <= s["max_value"]).all()),
    "isin": lambda v, s: set(np.unique(v)) <= set(s["allowed_values"]),
}


def strictly_increasing(frame: pd.DataFrame, key: list[str]) -> bool:
    """True when rows are sorted by `key` and no key repeats. Null keys are never increasing."""
    if len(frame) == 0:
        return True
    if len(frame) == 1:
        return not frame[key].isna().to_numpy().any()
    if any(frame[name].isna().any() for name in key):
        return False
    first = _comparable(frame[key[0]])
    if np.asarray(first[1:] > first[:-1], dtype=bool).all():
        return True  # whatever the other columns hold; words are slow to compare
    increasing: npt.NDArray[np.bool_] | None = None
    for name in reversed(key):
        values = _comparable(frame[name])
        above, below = values[1:], values[:-1]
        greater = np.asarray(above > below, dtype=bool)
        if increasing is None:
            increasing = greater
        else:
            increasing = greater | (np.asarray(above == below, dtype=bool) & increasing)
    return increasing is not None and bool(increasing.all())


def _comparable(column: pd.Series) -> Values:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return np.asarray(column.dt.tz_convert(None))
    return np.asarray(column, dtype=object if column.dtype == "str" else None)


def certainly_valid(frame: pd.DataFrame, schema: Any) -> bool:
    """True only when every column, dtype, null rule and check of `schema` holds for sure."""
    if schema.checks or not schema.strict or not schema.ordered:
        return False
    matched = _match_columns(list(frame.columns), schema.columns)
    return matched is not None and all(
        _column_valid(frame[name], column) for name, column in matched.items()
    )


def _match_columns(names: list[str], columns: Mapping[str, Any]) -> dict[str, Any] | None:
    """Schema column of each frame column, in order; None when something is missing or surplus."""
    matched: dict[str, Any] = {}
    rest = list(names)
    for name, column in columns.items():
        if column.regex:
            while rest and re.match(name, rest[0]):
                matched[rest.pop(0)] = column
        elif rest and rest[0] == name:
            matched[rest.pop(0)] = column
        elif column.required:
            return None
    return matched if not rest and len(matched) == len(names) else None


def _column_valid(series: pd.Series, column: Any) -> bool:
    if isinstance(series, pd.DataFrame) or series.dtype != getattr(column.dtype, "type", None):
        return False
    if column.unique or column.parsers or column.coerce:
        return False
    if column.nullable and not column.checks:
        return True
    missing = series.isna().to_numpy()
    if missing.any():
        if not column.nullable:
            return False
        series = series[~missing]
    if not column.checks or series.empty:
        return all(check.name in _RULES for check in column.checks)
    values = series.to_numpy(dtype=object) if series.dtype == "str" else series.to_numpy()
    return all(
        check.name in _RULES and _RULES[check.name](values, check.statistics)
        for check in column.checks
    )
