"""What goes with the decisions of a strategy: sizes, protective exits, limits and labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from quant_assets.quant.risk.terms import ExitTerms, LimitTerms
from quant_assets.quant.sizing.entry.units import EntrySizes

__all__ = ["Plan"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Row t of every array holds for decisions at bar t and uses bars up to t.

    sizes : of entries; None: equity in equal parts, one for each symbol of the bars.
    exits, limits : None: there are none. `labels`: arrays `(time, symbol)` by name that become
        columns of the trades, read at the decision (`regime_at_entry`, `regime_confidence`, …).
    """

    sizes: EntrySizes | None = None
    exits: ExitTerms | None = None
    limits: LimitTerms | None = None
    labels: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
