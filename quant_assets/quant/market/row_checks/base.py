"""What a dataset knows of its rows: which columns it needs, what names a row, what is possible."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.contracts.base import Contract
from quant_assets.quant.market.bars import Instants, microseconds
from quant_assets.quant.market.row_checks.sheet import Integers, Sheet

TIMES = ("ts", "available_at")


class RowCheck(ABC):
    """The rules of one dataset. Subclass in an own file; `name` is the dataset.

    contract : what the stored frame satisfies; the raw frame needs its columns.
    made : columns of the contract that are made here, not read.
    optional : columns that a raw frame may lack; they become NaN.
    inside_history : whether a time outside the venue's history is a mistake.
    """

    name: ClassVar[str]
    contract: ClassVar[type[Contract]]
    made: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[tuple[str, ...]] = ()
    inside_history: ClassVar[bool] = True

    @classmethod
    def columns(cls) -> list[str]:
        """Columns of the contract that are read, without the times."""
        names = cls.contract.to_schema().columns
        return [name for name in names if name not in (*TIMES, *cls.made)]

    @classmethod
    def numbers(cls) -> list[str]:
        """The read columns that hold numbers."""
        schema = cls.contract.to_schema().columns
        return [n for n in cls.columns() if pd.api.types.is_numeric_dtype(schema[n].dtype.type)]

    @classmethod
    def others(cls) -> list[str]:
        """The read columns that hold something else, without the symbol."""
        known = [*cls.numbers(), "symbol"]
        return [name for name in cls.columns() if name not in known]

    def known_at(self, sheet: Sheet) -> Instants:
        """When each row could be known: here, once it had happened and was published."""
        return sheet.ts + np.timedelta64(sheet.rules.publication_delay)

    @abstractmethod
    def set_aside_missing(self, sheet: Sheet) -> None:
        """Part with rows that lack what they are about, before rows are compared."""

    def identity(self, sheet: Sheet) -> list[Integers]:
        """Keys that name a row: two rows that agree in them tell of the same thing."""
        return [microseconds(sheet.ts), sheet.codes]

    @abstractmethod
    def judge(self, sheet: Sheet) -> None:
        """Set aside what cannot be, and flag what is odd."""

    def sort_keys(self, sheet: Sheet) -> list[Integers]:
        """Keys by which the stored rows are sorted."""
        return [microseconds(sheet.ts), sheet.codes]

    def made_columns(self, sheet: Sheet) -> dict[str, pd.Series]:
        """The columns `made`, one value for every row of the sheet."""
        del sheet
        return {}
