"""Maintenance margin in tiers of the position's size, as perpetuals have it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import number
from quant_assets.quant.simulation.execution.margin.base import MarginModel, Tiers, margin_terms
from quant_assets.quant.simulation.execution.terms import MarginTerms

BTC_TIERS: Tiers = (
    (0.0, 0.004),
    (50_000.0, 0.005),
    (250_000.0, 0.01),
    (1_000_000.0, 0.025),
    (10_000_000.0, 0.05),
    (20_000_000.0, 0.10),
    (50_000_000.0, 0.125),
    (100_000_000.0, 0.15),
    (200_000_000.0, 0.25),
    (300_000_000.0, 0.50),
)


@dataclass(frozen=True, kw_only=True)
class Binance(MarginModel):
    """A position of notional N in a tier needs `N x rate - deduction`; below it, liquidation.

    tiers : (notional from, rate) of symbols that `tiers_of` does not name; by default the ladder
        of BTCUSDT since 18 March 2021, 9:00 UTC (binance.com, "Updates to Leverage and Margin
        Tiers of Binance Futures Contracts (2021-03-18)"), which has changed since. Venues differ:
        give your own.
    liquidation_fee : fraction of the notional that is closed; 1.25 % is `liquidationFee` of BTCUSDT
        and most others in the venue's own `/fapi/v1/exchangeInfo`.
    leverage : 10 is a choice, no rule of the venue, whose ladder allows up to 125.

    Source: Binance, "How to calculate liquidation price of USD-M futures contracts": the deduction
    of a tier is `notional from x (rate - rate before) + deduction before`. The account is cross
    margined: all equity covers all positions.
    """

    name: ClassVar[str] = "binance"
    leverage: float = number(10.0, above=0.0)
    liquidation_fee: float = number(0.0125, least=0.0, below=1.0)
    tiers: Tiers = BTC_TIERS
    tiers_of: Mapping[str, Tiers] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "tiers", self._ladder("tiers", self.tiers))
        if not isinstance(self.tiers_of, Mapping):
            raise ConfigError(f"binance: tiers_of is {self.tiers_of!r}; map symbols to tiers")
        by_symbol = {s: self._ladder(f"tiers of {s}", t) for s, t in sorted(self.tiers_of.items())}
        object.__setattr__(self, "tiers_of", by_symbol)

    def _ladder(self, parameter: str, value: object) -> Tiers:
        try:
            steps = np.array(value, dtype=np.float64).reshape(-1, 2)
        except (TypeError, ValueError) as cause:
            raise ConfigError(
                f"binance: {parameter} is {value!r}; write pairs of notional and rate"
            ) from cause
        begins, rates = steps[:, 0], steps[:, 1]
        rising = (np.diff(begins) > 0.0).all() and (np.diff(rates) > 0.0).all()
        known = len(steps) > 0 and begins[0] == 0.0 and rates[0] > 0.0 and rates[-1] < 1.0
        if not (rising and known):
            raise ConfigError(
                f"binance: {parameter} is {value!r}; notionals begin at 0, and they and the rates "
                "rise from tier to tier, rates between 0 and 1"
            )
        return tuple((float(begin), float(rate)) for begin, rate in steps)

    def terms(self, symbols: Sequence[str]) -> MarginTerms:
        """See the base class."""
        unknown = sorted(set(self.tiers_of) - set(symbols))
        if unknown:
            raise ConfigError(f"binance: tiers_of names {unknown}, which the bars do not have")
        return margin_terms(
            symbols,
            leverage=self.leverage,
            tiers=[self.tiers_of.get(symbol, self.tiers) for symbol in symbols],
            liquidation_fee=self.liquidation_fee,
        )
