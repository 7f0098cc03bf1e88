"""Provider `simulated`: a seeded crypto market, spot and perpetual, with known shocks.

The market is generated once per provider (`quant_assets.adapters.market_simulator`) and sliced.
More days, or other assets, change no row that was there before. Perpetuals have funding, open
interest, liquidations and order books besides bars.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from quant_assets.adapters.market_simulator import market as simulator
from quant_assets.adapters.market_simulator.book import order_book
from quant_assets.adapters.market_simulator.clock import Clock
from quant_assets.adapters.market_simulator.positions import forced_orders, open_interest_path
from quant_assets.adapters.market_simulator.settings import SimulatorSettings
from quant_assets.adapters.providers.base import Dataset, Provider, Table, contract_of
from quant_assets.contracts.reference_returns import ReferenceReturns
from quant_assets.core.errors import ConfigError
from quant_assets.core.hashing import digest
from quant_assets.core.venues import Strict
from quant_assets.core.windows import Window
from quant_assets.quant.market.bars import ALWAYS_OPEN, Instants, to_column

PRICE_COLUMNS = ("open", "high", "low", "close", "volume")


class Simulated(Provider):
    """Bars, funding and planted shocks of a market that never traded."""

    name: ClassVar[str] = "simulated"
    settings_model: ClassVar[type[Strict]] = SimulatorSettings
    settings: SimulatorSettings

    def check_venue(self) -> None:
        """Require a venue that says it is simulated, is always open, and ends on a known day."""
        venue, market = self.venue, self.venue.market
        if not market.simulated:
            self.refuse("market.simulated", "must be true, so that every report says it")
        if market.calendar != ALWAYS_OPEN:
            self.refuse("market.calendar", f"{market.calendar} is not 24/7, all that it has")
        if venue.history.last is None:
            self.refuse("history.last", "is required: a simulated market has no live data")
        if simulator.SETTLEMENT_INTERVAL % market.bar_length:
            self.refuse("market.bar_length", f"{market.bar_length} does not divide 8 hours")
        interval = self.settings.order_book.every(market.bar_length)
        if interval < market.bar_length or interval % market.bar_length:
            self.refuse(
                "provider.settings.order_book.interval",
                f"{interval} is no multiple of market.bar_length {market.bar_length}",
            )
        if venue.reference.risk_free is not None:
            self.refuse("reference.risk_free", f"{venue.reference.risk_free!r} is not null")
        benchmark = venue.reference.benchmark
        if benchmark is not None and benchmark not in self._symbols():
            known = ", ".join(self._symbols())
            self.refuse("reference.benchmark", f"{benchmark!r} is not among: {known}")

    def _symbols(self) -> list[str]:
        quote = self.settings.quote
        ends = {"spot": "", "perpetual": f":{quote}"}
        return sorted(
            f"{asset.base}/{quote}{ends[kind]}"
            for asset in self.settings.assets
            for kind in asset.markets
        )

    def source_digest(self, dataset: Dataset, window: Window) -> str:
        """Digest of generator version, seed, and the part of the window that the history covers."""
        first = self.venue.history.first
        parts = [self.name, simulator.VERSION, self.settings.seed, dataset, first]
        return digest([*parts, *self.span(window)])

    def fetch(self, dataset: Dataset, window: Window) -> pd.DataFrame:
        """See the base class."""
        tables: dict[str, Callable[[], Table]] = {
            "bars": lambda: self._bars,
            "funding": lambda: self._funding,
            "open_interest": lambda: self._open_interest,
            "liquidations": lambda: self._liquidations,
            "order_book": lambda: self._order_book,
            "reference": lambda: self._reference,
        }
        if dataset not in tables:
            return contract_of(dataset).empty()
        return tables[dataset]().rows(self.span(window))

    def planted_shocks(self) -> pd.DataFrame:
        """Time, symbol, kind and size of every shock: the truth that detectors are judged by."""
        return simulator.planted_shocks(self._market)

    @cached_property
    def _market(self) -> simulator.SimulatedMarket:
        history = self.venue.history
        if history.last is None:
            raise ConfigError(f"venue {self.venue.name}: history.last is required")
        clock = Clock(history.first, history.last, self.venue.market.bar_length)
        return simulator.simulate_market(self.settings, clock)

    def _published(self, ts: Instants, after: timedelta) -> pd.Series:
        return to_column(ts + np.timedelta64(after + self.venue.market.publication_delay))

    @cached_property
    def _bars(self) -> Table:
        market = self._market
        rows = np.arange(market.clock.n_bars)[:, None]
        begin, end = (
            np.array([getattr(i, n) for i in market.instruments]) for n in ("begin", "end")
        )
        listed = (rows >= begin) & (rows < end)
        times, columns = np.nonzero(listed)
        ts = market.clock.ts[times]
        symbols = pd.Index([i.symbol for i in market.instruments], dtype="str")
        prices = {
            name: np.column_stack([getattr(i.candles, name) for i in market.instruments])[listed]
            for name in PRICE_COLUMNS
        }
        return Table(
            pd.DataFrame(
                {
                    "ts": to_column(ts),
                    "available_at": self._published(ts, self.venue.market.bar_length),
                    "symbol": pd.Series(symbols.take(columns)),
                    **prices,
                    "is_gap": np.zeros(len(ts), dtype=bool),
                }
            )
        )

    def _perpetuals(
        self, dataset: Dataset, columns: Callable[[simulator.Instrument], dict[str, Any]]
    ) -> Table:
        """Rows of all perpetuals; `columns` gives arrays of one: `ts` and those of the contract.

        Everything about a perpetual is published at once, after the venue's delay.
        """
        contract = contract_of(dataset)
        names = list(contract.to_schema().columns)
        parts = [contract.empty()]
        for instrument in self._market.instruments:
            if instrument.premium is None:
                continue
            own = columns(instrument)
            ts = own.pop("ts")
            times = {"ts": to_column(ts), "available_at": self._published(ts, timedelta(0))}
            symbol = _repeated(instrument.symbol, len(ts))
            parts.append(pd.DataFrame({**times, "symbol": symbol, **own})[names])
        kept = [part for part in parts if len(part)] or parts[:1]
        return Table(pd.concat(kept).sort_values(contract.key_columns()).reset_index(drop=True))

    @cached_property
    def _funding(self) -> Table:
        def columns(instrument: simulator.Instrument) -> dict[str, Any]:
            paid = simulator.settlements(self._market.clock, instrument)
            minutes = np.datetime_as_string(paid.ts, unit="m")
            return {
                "ts": paid.ts,
                "event_id": pd.Series([f"funding-{m}Z" for m in minutes], dtype="str"),
                "rate": paid.rates,
                "mark_price": paid.marks,
            }

        return self._perpetuals("funding", columns)

    @cached_property
    def _open_interest(self) -> Table:
        def columns(instrument: simulator.Instrument) -> dict[str, Any]:
            path = open_interest_path(self._market, instrument)
            return {
                "ts": path.ts,
                "open_interest": path.quantity,
                "open_interest_value": path.value,
                "unit": _repeated("base", len(path.ts)),
            }

        return self._perpetuals("open_interest", columns)

    @cached_property
    def _liquidations(self) -> Table:
        def columns(instrument: simulator.Instrument) -> dict[str, Any]:
            orders = forced_orders(self._market, instrument)
            most = int(orders.number.max(initial=-1)) + 1
            return {
                "ts": orders.ts,
                "event_id": _labels([f"forced-{n:04d}" for n in range(most)]).take(orders.number),
                "side": _labels(["buy", "sell"]).take(orders.is_sell.astype(np.intp)),
                "price": orders.price,
                "quantity": orders.quantity,
            }

        return self._perpetuals("liquidations", columns)

    @cached_property
    def _order_book(self) -> Table:
        levels = self.settings.order_book.levels

        def columns(instrument: simulator.Instrument) -> dict[str, Any]:
            book = order_book(self._market, instrument, self.settings.order_book)
            names = ("bid_price", "bid_quantity", "ask_price", "ask_quantity")
            return {
                "ts": np.repeat(book.ts, levels),
                "level": np.tile(np.arange(levels, dtype=np.int64), len(book.ts)),
                **{name: getattr(book, name).ravel() for name in names},
                "is_crossed": np.zeros(len(book.ts) * levels, dtype=bool),
            }

        return self._perpetuals("order_book", columns)

    @cached_property
    def _reference(self) -> Table:
        """Returns of the benchmark symbol while it is listed; the first one is NaN."""
        wanted = self.venue.reference.benchmark
        found = [i for i in self._market.instruments if i.symbol == wanted]
        if not found:
            return Table(ReferenceReturns.empty())
        listed = slice(found[0].begin, found[0].end)
        close, ts = found[0].candles.close[listed], self._market.clock.ts[listed]
        returns = np.concatenate([[np.nan], close[1:] / close[:-1] - 1.0])[: len(close)]
        return Table(
            pd.DataFrame(
                {
                    "ts": to_column(ts),
                    "available_at": self._published(ts, self.venue.market.bar_length),
                    "role": pd.Series(["benchmark"] * len(ts), dtype="str"),
                    "symbol": pd.Series([wanted] * len(ts), dtype="str"),
                    "returns": returns,
                    "assumed": np.zeros(len(ts), dtype=bool),
                }
            )
        )


def _repeated(text: str, count: int) -> pd.Index:
    return _labels([text]).take(np.zeros(count, dtype=np.intp))


def _labels(texts: list[str]) -> pd.Index:
    return pd.Index(texts, dtype="str")
