"""An account that borrows nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.simulation.execution.margin.base import MarginModel, margin_terms
from quant_assets.quant.simulation.execution.terms import MarginTerms


@dataclass(frozen=True, kw_only=True)
class CashAccount(MarginModel):
    """Gross notional up to equity; purchases beyond it are cut. Equity must stay above 0."""

    name: ClassVar[str] = "cash_account"

    def terms(self, symbols: Sequence[str]) -> MarginTerms:
        """See the base class."""
        return margin_terms(symbols, leverage=1.0)
