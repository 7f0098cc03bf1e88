"""Whether a raw frame has the columns and types that were agreed on, before anything is judged."""

import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.market.row_checks.base import RowCheck
from quant_assets.quant.market.row_checks.rules import RowRules

STORED_TIME = "datetime64[us, UTC]"


def complete(raw: pd.DataFrame, check: type[RowCheck], rules: RowRules) -> pd.DataFrame:
    """Return `raw` with its optional columns, NaN where they were absent.

    Raises `DataError` for a column that is missing, a time without a zone, and a number that is
    text (a decimal comma, a thousands separator, a per cent sign): those are for the file's
    layout to declare, never for this place to guess.
    """
    needed = ["ts", *check.columns(), "line"]
    missing = [n for n in needed if n not in raw.columns and n not in check.optional]
    if missing:
        raise DataError(
            f"{rules.file}: {check.name} need the columns {needed}; {missing} are missing, found "
            f"{list(raw.columns)}. Mend the file, or the layout that read it"
        )
    _check_time(raw, rules)
    absent = {n: float("nan") for n in check.optional if n not in raw.columns}
    whole = raw.assign(**absent) if absent else raw
    for name in check.numbers():
        _check_number(whole, name, rules)
    return whole


def _check_time(raw: pd.DataFrame, rules: RowRules) -> None:
    dtype = raw["ts"].dtype
    if str(dtype) == STORED_TIME:
        return
    found = f"{rules.file}: column ts is {dtype}, not {STORED_TIME}"
    if str(dtype).startswith("datetime64") and not isinstance(dtype, pd.DatetimeTZDtype):
        raise DataError(
            f"{found}: these times have no time zone, so nobody knows when they were. Declare the "
            "zone of the file in the venue's provider.settings"
        )
    raise DataError(f"{found}: convert it where the file is read")


def _check_number(raw: pd.DataFrame, name: str, rules: RowRules) -> None:
    column = raw[name]
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return
    numbers = pd.to_numeric(column, errors="coerce")
    odd = column.notna() & numbers.isna()
    row = int(odd.to_numpy().argmax()) if odd.any() else 0
    sample = f"line {int(raw['line'].iloc[row])} has {column.iloc[row]!r}" if len(raw) else "empty"
    raise DataError(
        f"{rules.file}: column {name} is {column.dtype}, not float64; {sample}. Numbers are "
        "written 1234.5: no decimal comma, thousands separator, % or unit, unless the layout "
        "declares it. Mend the file"
    )
