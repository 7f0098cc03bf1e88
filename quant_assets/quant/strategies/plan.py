"""What goes with the decisions of a strategy: sizes, protective exits, limits and labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError
from quant_assets.quant.risk.terms import ExitTerms, LimitTerms
from quant_assets.quant.sizing.entry.units import (
    ENTRIES_ONLY,
    EQUITY_FRACTION,
    UNIT_CODES,
    EntrySizes,
    Resize,
)

__all__ = ["Plan"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Row t of every array holds for decisions at bar t and uses bars up to t.

    sizes : of entries; None: equity in equal parts, one for each symbol of the bars.
    resize : whether positions follow these sizes, which are fractions of equity then.
    exits, limits : None: there are none. `labels`: arrays `(time, symbol)` by name that become
            columns of the trades, read at the decision (`regime_at_entry`, `regime_confidence`, …).

    Sizes and exit levels of whole numbers become floats, which is what the kernels read.

    Raises `DataError` for sizes or labels that are no arrays with two axes, an unknown unit, and
    positions that are to follow sizes which are no fractions of equity.
    """

    sizes: EntrySizes | None = None
    resize: Resize = ENTRIES_ONLY
    exits: ExitTerms | None = None
    limits: LimitTerms | None = None
    labels: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        arrays = dict(self.labels)
        if self.sizes is not None:
            arrays["sizes"] = self.sizes.size
            if self.sizes.unit not in UNIT_CODES:
                raise DataError(
                    f"the unit of sizes is {self.sizes.unit!r}; it must be a constant of "
                    "sizing.entry.units, as EQUITY_FRACTION"
                )
        for name, values in arrays.items():
            if not isinstance(values, np.ndarray) or values.ndim != 2:
                found = getattr(values, "shape", type(values).__name__)
                raise DataError(f"{name} of a plan is {found}; it must be an array (time, symbol)")
        if self.resize.bars and (self.sizes is None or self.sizes.unit != EQUITY_FRACTION):
            raise DataError("positions that are resized need sizes that are fractions of equity")
        if self.sizes is not None and self.sizes.size.dtype != np.float64:
            sizes = self.sizes._replace(size=self.sizes.size.astype(np.float64))
            object.__setattr__(self, "sizes", sizes)
        if self.exits is not None and self.exits.level.dtype != np.float64:
            levels = self.exits._replace(level=self.exits.level.astype(np.float64))
            object.__setattr__(self, "exits", levels)
