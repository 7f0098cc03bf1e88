"""An account that lends up to a multiple of equity."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import number
from quant_assets.quant.simulation.execution.margin.base import MarginModel, margin_terms
from quant_assets.quant.simulation.execution.terms import MarginTerms


@dataclass(frozen=True, kw_only=True)
class Leverage(MarginModel):
    """Gross notional up to `leverage` x equity; below `maintenance` x notional all is closed.

    The defaults are those of United States margin accounts: half of the purchase as initial margin
    (Regulation T, 12 CFR 220.12) and a quarter of long positions as maintenance (FINRA rule
    4210(c)(1); short positions need 30 %, which is not told apart). maintenance : 0: none.
    liquidation_fee : fraction of the notional that is closed.
    """

    name: ClassVar[str] = "leverage"
    leverage: float = number(2.0, above=0.0)
    maintenance: float = number(0.25, least=0.0, below=1.0)
    liquidation_fee: float = number(0.0, least=0.0, below=1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.maintenance * self.leverage >= 1.0:
            raise ConfigError(
                f"leverage: maintenance is {self.maintenance} at a leverage of {self.leverage}; a "
                f"full position would be closed at once. It must be below {1.0 / self.leverage:g}"
            )

    def terms(self, symbols: Sequence[str]) -> MarginTerms:
        """See the base class."""
        tiers = [((0.0, self.maintenance),)] * len(symbols) if self.maintenance else []
        return margin_terms(
            symbols,
            leverage=self.leverage,
            tiers=tiers,
            liquidation_fee=self.liquidation_fee,
        )
