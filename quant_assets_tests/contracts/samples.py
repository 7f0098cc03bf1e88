"""Valid frames for any contract, made from its schema alone."""

import importlib
import pkgutil

import numpy as np
import pandas as pd

import quant_assets.contracts
from quant_assets.contracts.base import Contract

ROWS = 6


def all_contracts() -> list[type[Contract]]:
    """Every contract class of the package, by name."""
    found = {}
    for info in pkgutil.iter_modules(quant_assets.contracts.__path__):
        module = importlib.import_module(f"quant_assets.contracts.{info.name}")
        for member in vars(module).values():
            if isinstance(member, type) and issubclass(member, Contract) and member is not Contract:
                found[member.__name__] = member
    return [found[name] for name in sorted(found)]


def bounds(column) -> tuple[float, float]:
    """Lowest and highest value that a column's checks allow (open ends are moved inside)."""
    low, high = -1e6, 1e6
    for check in column.checks:
        facts = check.statistics
        if "min_value" in facts:
            low = facts["min_value"] + (1e-3 if check.name == "greater_than" else 0)
        if "max_value" in facts:
            high = facts["max_value"] - (1e-3 if check.name == "less_than" else 0)
    return low, high


def allowed(column) -> list | None:
    """Values of an `isin` check, or None."""
    for check in column.checks:
        if check.name == "isin":
            return sorted(check.statistics["allowed_values"])
    return None


def _values(name: str, column, row_step: int) -> pd.Series:
    dtype = column.dtype.type
    choice = allowed(column)
    if isinstance(dtype, pd.DatetimeTZDtype):
        days = pd.date_range("2020-01-01", periods=ROWS, freq="D", tz="UTC")
        return pd.Series(days).astype("datetime64[us, UTC]")
    if choice is not None:
        picked = [choice[(row * row_step) % len(choice)] for row in range(ROWS)]
        return pd.Series(picked, dtype="str" if isinstance(choice[0], str) else "int64")
    if str(dtype) == "str":
        return pd.Series([f"{name}{row}" for row in range(ROWS)], dtype="str")
    if str(dtype) == "bool":
        return pd.Series([row % 2 == 0 for row in range(ROWS)])
    low, high = bounds(column)
    if str(dtype) == "int64":
        start = max(int(np.ceil(low)), 0)
        return pd.Series(np.arange(start, start + ROWS), dtype="int64").clip(upper=int(high))
    return pd.Series(
        np.linspace(max(low, -0.9), min(high, 0.9) if high < 1e5 else max(low, 0) + 1, ROWS)
    )


def valid_frame(contract: type[Contract]) -> pd.DataFrame:
    """A frame of six rows that satisfies `contract`; optional columns appear once."""
    frame = {}
    for name, column in contract.to_schema().columns.items():
        label = "value_sample" if column.regex else name
        frame[label] = _values(label, column, 1)
    return pd.DataFrame(frame)
