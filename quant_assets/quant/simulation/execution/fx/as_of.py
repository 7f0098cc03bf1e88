"""The latest rate that was known when the bar opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

import numpy as np
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.parameters import number
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.timeframes import Timeframe, align
from quant_assets.quant.simulation.execution.fx.base import FxModel
from quant_assets.quant.simulation.execution.terms import Floats
from quant_assets.quant.simulation.settlements import settles_in


@dataclass(frozen=True, kw_only=True)
class AsOf(FxModel):
    """Rate of `currency/account` with the latest `available_at` at or before the bar's open.

    Fills and marks of one bar use the same rate, so nothing of the bar itself is seen. The pair the
    other way round is taken as `1 / rate`. The currency of a symbol is its quote; that of a
    derivative is what it settles in, the base of an inverse one.

    account : currency of the account. currencies : those of symbols whose name does not tell it; a
        ticker without `/` that it does not name is quoted in the account's.
    max_age_days : a rate that is older is unknown, which is a `DataError`.

    The rates are a frame with `ts`, `available_at`, `symbol` (`EUR/USD`) and `rate`.
    """

    name: ClassVar[str] = "as_of"
    account: str = "USD"
    currencies: Mapping[str, str] = field(default_factory=dict)
    max_age_days: float = number(5.0, above=0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isinstance(self.account, str) and self.account):
            raise ConfigError(f"as_of: account is {self.account!r}; name a currency, as USD")
        texts = isinstance(self.currencies, Mapping) and all(
            isinstance(value, str) for value in self.currencies.values()
        )
        if not texts:
            raise ConfigError(
                f"as_of: currencies is {self.currencies!r}; map symbols to currencies"
            )
        object.__setattr__(self, "currencies", dict(sorted(self.currencies.items())))

    def currency_of(self, symbol: str) -> str:
        """QUOTE of `BASE/QUOTE`, SETTLE of `BASE/QUOTE:SETTLE`, of a ticker as parameters say."""
        if symbol in self.currencies:
            return self.currencies[symbol]
        return settles_in(symbol) or self.account

    def rates(self, bars: BarPanel, rates: pd.DataFrame | None) -> Floats:
        """See the base class."""
        foreign = {s: self.currency_of(s) for s in bars.symbols}
        needed = sorted(set(foreign.values()) - {self.account})
        if not needed:
            return np.ones((1, len(bars.symbols)))
        if rates is None:
            raise DataError(f"as_of: no rates of {needed} in {self.account} are given")
        by_currency = {currency: self._series(bars, rates, currency) for currency in needed}
        result = np.ones(bars.close.shape)
        for column, symbol in enumerate(bars.symbols):
            if foreign[symbol] != self.account:
                series = by_currency[foreign[symbol]]
                begun = np.logical_or.accumulate(~np.isnan(bars.close[:, column]))
                self._require(bars, begun & np.isnan(series), foreign[symbol])
                result[:, column] = np.where(np.isnan(series), 1.0, series)
        return result

    def _series(self, bars: BarPanel, rates: pd.DataFrame, currency: str) -> Floats:
        """The rate `(time,)` that was known at each open; NaN where none was."""
        pair, turned = f"{currency}/{self.account}", f"{self.account}/{currency}"
        names = set(rates["symbol"])
        used = pair if pair in names else turned
        if used not in names:
            raise DataError(f"as_of: the rates have neither {pair} nor {turned}")
        source = Timeframe.of_instants(rates.loc[rates["symbol"] == used].sort_values("ts"))
        codes = np.zeros(len(bars), dtype=np.int64)
        clock = Timeframe(timedelta(0), bars.ts, bars.ts, codes, (used,), {})
        age = timedelta(days=self.max_age_days)
        found = align(source, clock=clock, max_age=age).column("rate")
        if (found <= 0.0).any():
            raise DataError(f"as_of: a rate of {used} is {np.nanmin(found)}; it must be above 0")
        return found if used == pair else 1.0 / found

    def _require(self, bars: BarPanel, missing: np.ndarray, currency: str) -> None:
        if missing.any():
            raise DataError(
                f"as_of: no rate of {currency}/{self.account} was known at "
                f"{bars.ts[int(np.argmax(missing))]} UTC within {self.max_age_days:g} days; give "
                "earlier rates, or a longer max_age_days"
            )
