"""The base of all contracts: strict columns, sorted unique keys, one readable error."""

from functools import cache
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
import pandera.pandas as pa

from quant_assets.contracts.fast_check import certainly_valid, strictly_increasing
from quant_assets.core.errors import ContractError

Timestamp = Annotated[pd.DatetimeTZDtype, "us", "UTC"]
MAX_EXAMPLES = 3


class Contract(pa.DataFrameModel):
    """A long frame with a unique, sorted key; `_key` names its columns in sorting order."""

    _key: ClassVar[tuple[str, ...]]

    class Config:
        """Exactly the declared columns, in the declared order, with the declared dtypes."""

        strict = True
        ordered = True
        coerce = False

    @classmethod
    def key_columns(cls) -> list[str]:
        """Columns that identify a row, in sorting order."""
        return list(cls._key)

    @classmethod
    def empty(cls) -> pd.DataFrame:  # type: ignore[override] # pandera types its own as generic
        """A frame without rows that satisfies the contract (optional columns are left out)."""
        return _empty_frame(cls).copy()

    @classmethod
    def check_frame(cls, frame: pd.DataFrame, *, where: str) -> pd.DataFrame:
        """Return `frame` itself when it satisfies the contract.

        Raises `ContractError` that lists every kind of failure (the first cases of each), because
        a user mends a source once, not column by column.
        """
        if len(frame) == 0 and _like(frame, _empty_frame(cls)):
            return frame
        problems = _structure_problems(cls, frame)
        if not problems and not certainly_valid(frame, cls.to_schema()):
            try:
                cls.validate(frame, lazy=True)
            except pa.errors.SchemaErrors as errors:
                problems = _grouped(errors.failure_cases)
        if problems:
            listing = "\n  ".join(problems)
            raise ContractError(f"{where} breaks the contract {cls.__name__}:\n  {listing}")
        return frame


def _like(frame: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether the two have the same columns, dtypes and kind of index."""
    return (
        isinstance(frame.index, pd.RangeIndex)
        and frame.index.start == 0
        and frame.columns.equals(other.columns)
        and list(frame.dtypes) == list(other.dtypes)
    )


@cache
def _empty_frame(contract: type[Contract]) -> pd.DataFrame:
    columns = contract.to_schema().columns
    return pd.DataFrame(
        {
            name: pd.Series(np.empty(0), dtype=_pandas_dtype(column.dtype))
            for name, column in columns.items()
            if not column.regex and column.required
        }
    )


def _pandas_dtype(dtype: object) -> Any:
    return getattr(dtype, "type", dtype)


def _structure_problems(contract: type[Contract], frame: pd.DataFrame) -> list[str]:
    """What pandera accepts and we do not: an odd index, unsorted or repeated keys, infinities."""
    key = contract.key_columns()
    missing = [name for name in key if name not in frame.columns]
    if missing:
        return [f"key columns {missing} are missing; columns are {list(frame.columns)}"]
    problems = []
    index = frame.index
    if not isinstance(index, pd.RangeIndex) or index.start != 0 or index.step != 1:
        problems.append(f"index must be RangeIndex(0..n), found {type(index).__name__}")
    columns = contract.to_schema().columns
    typed = all(frame[name].dtype == _pandas_dtype(columns[name].dtype) for name in key)
    if typed and not strictly_increasing(frame, key):  # pandera names a key of another type
        problems.append(_key_problem(frame, key))
    return problems + _infinities(frame)


def _key_problem(frame: pd.DataFrame, key: list[str]) -> str:
    for name in key:
        if frame[name].isna().any():
            return f"key column {name} has {int(frame[name].isna().sum())} missing values"
    repeated = frame.duplicated(key).to_numpy()
    if not repeated.any():
        return f"rows are not sorted by {key}"
    row = int(np.flatnonzero(repeated)[0])
    return (
        f"{int(repeated.sum())} rows repeat the key {key}; first at row {row}: "
        f"{frame.iloc[row][key].tolist()}"
    )


def _infinities(frame: pd.DataFrame) -> list[str]:
    problems: list[str] = []
    floats = frame.columns[(frame.dtypes == "float64").to_numpy()]
    if frame.empty or not np.isinf(frame[floats].to_numpy()).any():
        return problems
    for name in floats:
        infinite = np.isinf(frame[name].to_numpy())
        if infinite.any():
            row = int(np.flatnonzero(infinite)[0])
            problems.append(
                f"column {name} holds {int(infinite.sum())} infinities; first: row {row}"
            )
    return problems


def _grouped(cases: pd.DataFrame) -> list[str]:
    """One line per (column, check): count, first rows and values."""
    lines = []
    for (column, check), group in cases.groupby(["column", "check"], dropna=False, sort=True):
        rows = zip(group["index"], group["failure_case"], strict=True)
        shown = [
            repr(value) if row is None or row != row else f"row {row}: {value!r}"  # noqa: PLR0124 - NaN
            for row, value in list(rows)[:MAX_EXAMPLES]
        ]
        lines.append(f"{column}: {check} failed {len(group)} times ({'; '.join(shown)})")
    return lines
