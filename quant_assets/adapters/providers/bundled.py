"""Provider `bundled`: the market data inside the wheels of skfolio and arch, without a network.

Twenty adjusted closes of S&P 500 members and the index, daily 1990-01-02 to 2022-12-28 (skfolio),
and the monthly risk-free rate of the Fama-French table, 1926 to 2018 (arch). The files are read
where they lie: importing the packages themselves takes seconds.
"""

import importlib.util
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from quant_assets.adapters.providers.base import Dataset, Provider, Table, contract_of
from quant_assets.contracts.reference_returns import ReferenceReturns
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.hashing import digest, file_digest
from quant_assets.core.venues import Strict
from quant_assets.core.windows import Window
from quant_assets.quant.market.bars import Instants, to_column
from quant_assets.quant.market.panel import Floats

VERSION = 1
INSTALL = 'pip install "quant_assets[demo]"'
PRICES = ("skfolio", "datasets/data/sp500_dataset.csv.gz")
INDEX = ("skfolio", "datasets/data/sp500_index.csv.gz")
FRENCH = ("arch", "data/frenchdata/frenchdata.csv.gz")
BENCHMARK, RISK_FREE = "sp500_index", "french_rf"


class BundledSettings(Strict):
    """`symbols`: the tickers to keep; null keeps all twenty."""

    symbols: list[str] | None = None


class Bundled(Provider):
    """Real daily closes offline; no opens, no volume, and survivors only."""

    name: ClassVar[str] = "bundled"
    settings_model: ClassVar[type[Strict]] = BundledSettings

    def check_venue(self) -> None:
        """Daily closes, the one benchmark and the one risk-free series are all there is."""
        market, reference = self.venue.market, self.venue.reference
        if market.bar_length != timedelta(days=1):
            self.refuse("market.bar_length", f"{market.bar_length} is not 1d, all that it has")
        if set(market.price_fields) != {"close"}:
            self.refuse("market.price_fields", f"{market.price_fields} is not [close], all it has")
        if reference.benchmark not in (None, BENCHMARK):
            self.refuse(
                "reference.benchmark", f"{reference.benchmark!r} is not {BENCHMARK} or null"
            )
        if reference.risk_free not in (None, RISK_FREE):
            self.refuse(
                "reference.risk_free", f"{reference.risk_free!r} is not {RISK_FREE} or null"
            )

    def source_digest(self, dataset: Dataset, window: Window) -> str:
        """Digest of the data files, and of the part of the window that the history covers."""
        files = {"bars": [PRICES], "reference": [INDEX, FRENCH]}.get(dataset, [])
        hashes = [_cached_digest(data_file(*file)) for file in files]
        return digest([self.name, VERSION, dataset, hashes, *self.span(window)])

    def fetch(self, dataset: Dataset, window: Window) -> pd.DataFrame:
        """See the base class; there are bars and reference returns."""
        if dataset not in ("bars", "reference"):
            return contract_of(dataset).empty()
        table = self._bars if dataset == "bars" else self._reference
        return table.rows(self.span(window))

    @cached_property
    def _bars(self) -> Table:
        prices = read_prices(data_file(*PRICES))
        symbols = self.settings.symbols
        unknown = sorted(set(symbols or []) - set(prices.columns))
        if unknown:
            known = ", ".join(sorted(prices.columns))
            self.refuse("provider.settings.symbols", f"{unknown} are not among: {known}")
        kept = sorted(prices.columns) if symbols is None else sorted(set(symbols))
        return Table(self._long(prices[kept]))

    def _available_at(self, ts: Instants) -> pd.Series:
        """Know a session's close once its UTC day has ended, plus the venue's delay."""
        market = self.venue.market
        return to_column(ts + np.timedelta64(market.bar_length + market.publication_delay))

    def _long(self, prices: pd.DataFrame) -> pd.DataFrame:
        close = prices.to_numpy(dtype=np.float64).ravel()
        traded = ~np.isnan(close)
        ts = np.repeat(prices.index.to_numpy(dtype="datetime64[us]"), prices.shape[1])[traded]
        symbols = pd.Index(prices.columns, dtype="str")
        codes = np.tile(np.arange(prices.shape[1]), len(prices))[traded]
        absent = np.full(len(ts), np.nan)
        return pd.DataFrame(
            {
                "ts": to_column(ts),
                "available_at": self._available_at(ts),
                "symbol": pd.Series(symbols.take(codes)),
                "open": absent,
                "high": absent,
                "low": absent,
                "close": close[traded],
                "volume": absent,
                "is_gap": np.zeros(len(ts), dtype=bool),
            }
        )

    @cached_property
    def _reference(self) -> Table:
        index = read_prices(data_file(*INDEX)).iloc[:, 0]
        sessions = index.index.to_numpy(dtype="datetime64[us]")
        series = []
        if self.venue.reference.benchmark is not None:
            close = index.to_numpy(dtype=np.float64)
            returns = np.concatenate([[np.nan], close[1:] / close[:-1] - 1.0])
            series.append(
                _Series("benchmark", BENCHMARK, returns, np.zeros(len(close), dtype=bool))
            )
        if self.venue.reference.risk_free is not None:
            rate, known = session_rates(sessions, read_monthly_rates(data_file(*FRENCH)))
            series.append(_Series("risk_free", RISK_FREE, rate, ~known))
        if not series:
            return Table(ReferenceReturns.empty())
        return Table(self._interleave(sessions, series))

    def _interleave(self, sessions: Instants, series: list["_Series"]) -> pd.DataFrame:
        """One row per session and series; `series` are sorted by role."""
        ts = np.repeat(sessions, len(series))
        return pd.DataFrame(
            {
                "ts": to_column(ts),
                "available_at": self._available_at(ts),
                "role": pd.Series([s.role for s in series] * len(sessions), dtype="str"),
                "symbol": pd.Series([s.symbol for s in series] * len(sessions), dtype="str"),
                "returns": np.column_stack([s.returns for s in series]).ravel(),
                "assumed": np.column_stack([s.assumed for s in series]).ravel(),
            }
        )


@dataclass(frozen=True, eq=False)
class _Series:
    role: Literal["benchmark", "risk_free"]
    symbol: str
    returns: Floats
    assumed: np.ndarray


@cache
def data_file(package: str, inside: str) -> Path:
    """Path of a data file inside an installed package, which is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"the provider bundled reads data of {package}: {INSTALL}")
    path = Path(spec.submodule_search_locations[0], inside)
    if not path.is_file():
        raise ConfigError(
            f"{path} is missing: this version of {package} has no such data. {INSTALL}"
        )
    return path


_cached_digest = cache(file_digest)


def read_prices(path: Path) -> pd.DataFrame:
    """Read closes by session date, (time, symbol), as skfolio's own loaders give them."""
    prices = pd.read_csv(path, index_col=0)
    prices.index = pd.to_datetime(prices.index, format="%Y-%m-%d")
    if not prices.index.is_monotonic_increasing or prices.index.has_duplicates:
        raise DataError(f"{path}: the dates are not sorted and unique")
    return prices


def read_monthly_rates(path: Path) -> dict[date, float]:
    """Risk-free simple return of each month, by its first day.

    The table's dates are integers yyyymm, which arch's own loader turns into instants of 1970, and
    its rates are per cent a month. Any other spelling whose digits begin with yyyymm is read, too.
    """
    table = pd.read_csv(path, dtype={"Date": "str"})
    digits = table["Date"].str.replace(r"\D", "", regex=True).str[:6]
    months = pd.to_datetime(digits, format="%Y%m", errors="coerce")
    rates = pd.to_numeric(table["RF"], errors="coerce") / 100.0
    wrong = table.loc[months.isna() | rates.isna() | months.duplicated()]
    if len(wrong):
        row = wrong.iloc[0]
        raise DataError(
            f"{path}: {len(wrong)} rows are not one month (yyyymm) and one rate in per cent; "
            f"the first is Date {row['Date']!r}, RF {row['RF']!r}"
        )
    return dict(zip(months.dt.date, rates.tolist(), strict=True))


def session_rates(sessions: Instants, monthly: dict[date, float]) -> tuple[Floats, np.ndarray]:
    """Risk-free return of each session, and whether its month has a rate (elsewhere it is 0).

    `(1 + rate)^(1/n) - 1` with the month's n sessions, so that they compound to the month's rate.
    The rate of a month is that of the bill bought at its beginning: no session looks ahead.
    """
    months, codes, counts = np.unique(
        sessions.astype("datetime64[M]"), return_inverse=True, return_counts=True
    )
    rates = np.array(
        [monthly.get(month, np.nan) for month in months.astype("datetime64[D]").tolist()]
    )
    each = (1.0 + rates) ** (1.0 / counts) - 1.0
    known = ~np.isnan(each)
    return np.where(known, each, 0.0)[codes], known[codes]
