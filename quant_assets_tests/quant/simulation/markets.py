"""Small markets, decisions and contexts for the simulation tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from quant_assets.contracts.bars import Bars
from quant_assets.contracts.equity import Equity
from quant_assets.contracts.fills import Fills
from quant_assets.contracts.final_holdings import FinalHoldings
from quant_assets.contracts.funding import Funding
from quant_assets.contracts.portfolio_weights import PortfolioWeights
from quant_assets.contracts.trades import Trades
from quant_assets.core.context import SimulationContext
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.core.venues import Market, OptimizationParameters, SimulationParameters
from quant_assets.core.windows import Window
from quant_assets.quant.simulation.engine import simulate_window

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
START = datetime(2024, 1, 1, tzinfo=UTC)
CONTRACTS = {"final_holdings": FinalHoldings, "fills": Fills, "trades": Trades, "equity": Equity}


def market(bar_length: timedelta = DAY, funding: str = "none", **changes: Any) -> Market:
    values = {
        "asset_class": "crypto_perpetual",
        "currency": "USDT",
        "calendar": "24/7",
        "time_zone": "UTC",
        "bar_length": bar_length,
        "bars_per_year": 365,
        "price_fields": ["open", "close"],
        "funding": funding,
    }
    return Market(**(values | changes))


def context(
    *,
    start: datetime = START,
    decided_at: datetime | None = None,
    mode: str = "carry",
    market: Market = market(),  # noqa: B008 - a frozen model
    **simulation: Any,
) -> SimulationContext:
    costs = {"initial_equity": 1000.0, "fee_bps": 0.0, "slippage_bps": 0.0}
    return SimulationContext(
        venue="test",
        window=Window(key=f"{start:%Y-%m-%d}", start=start, end=start + timedelta(days=31)),
        decided_at=decided_at or start,
        market=market,
        optimization=OptimizationParameters(),
        mode=mode,
        simulation=SimulationParameters(**(costs | simulation)),
    )


def times(n: int, start: datetime = START, bar_length: timedelta = DAY) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([start + k * bar_length for k in range(n)]).as_unit("us")


def bars(
    opens: dict[str, list[float]],
    closes: dict[str, list[float]] | None = None,
    start: datetime = START,
    bar_length: timedelta = DAY,
) -> pd.DataFrame:
    """Bars of all symbols; NaN opens and closes make a gap. Closes default to the opens."""
    closes = closes or opens
    symbols = sorted(opens)
    n = len(opens[symbols[0]])
    ts = times(n, start, bar_length).repeat(len(symbols))
    grid_open = np.array([opens[s] for s in symbols], dtype=float).T
    grid_close = np.array([closes[s] for s in symbols], dtype=float).T
    gap = (np.isnan(grid_open) & np.isnan(grid_close)).ravel()
    frame = pd.DataFrame(
        {
            "ts": ts,
            "available_at": ts + bar_length,
            "symbol": pd.array(symbols * n, dtype="str"),
            "open": grid_open.ravel(),
            "high": np.fmax(grid_open, grid_close).ravel(),
            "low": np.fmin(grid_open, grid_close).ravel(),
            "close": grid_close.ravel(),
            "volume": np.where(gap, 0.0, 1.0),
            "is_gap": gap,
        }
    )
    return Bars.check_frame(frame, where="test bars")


def weights(decided: dict[str, dict[str, float]], decided_at: datetime = START) -> pd.DataFrame:
    """PortfolioWeights from {entrant: {symbol: weight}}."""
    rows = [(e, s, w) for e in sorted(decided) for s, w in sorted(decided[e].items())]
    entrants, symbols, values = zip(*rows, strict=True)
    n = len(rows)
    frame = pd.DataFrame(
        {
            "decided_at": pd.DatetimeIndex([decided_at] * n).as_unit("us"),
            "entrant": pd.array(entrants, dtype="str"),
            "symbol": pd.array(symbols, dtype="str"),
            "weight": np.array(values, dtype=float),
            "target_weight": np.array(values, dtype=float),
            "previous_weight": 0.0,
            "follows": pd.array(entrants, dtype="str"),
            "binding": pd.array([""] * n, dtype="str"),
            "window_return": np.nan,
            "state_mean": np.nan,
            "state_variance": np.nan,
            "state_count": np.zeros(n, dtype=np.int64),
        }
    )
    return PortfolioWeights.check_frame(frame, where="test weights")


def funding(rows: list[tuple[datetime, str, float, float]]) -> pd.DataFrame:
    """Funding from (ts, symbol, rate, mark price)."""
    if not rows:
        return Funding.empty()
    ts, symbols, rates, marks = zip(*sorted(rows), strict=True)
    at = pd.DatetimeIndex(ts).as_unit("us")
    frame = pd.DataFrame(
        {
            "ts": at,
            "available_at": at,
            "symbol": pd.array(symbols, dtype="str"),
            "event_id": pd.array([f"f{k}" for k in range(len(rows))], dtype="str"),
            "rate": np.array(rates, dtype=float),
            "mark_price": np.array(marks, dtype=float),
        }
    )
    return Funding.check_frame(frame, where="test funding")


def holdings(
    accounts: dict[str, dict[str, tuple[float, float, float]]],
    at: datetime = START - DAY,
    currency: str = "USDT",
) -> pd.DataFrame:
    """FinalHoldings from {entrant: {symbol: (quantity, average price, mark price)}}; cash first."""
    rows = []
    for entrant in sorted(accounts):
        for symbol, numbers in sorted(accounts[entrant].items()):
            kind = "cash" if symbol == currency else "position"
            rows.append((entrant, kind, symbol, *numbers))
    rows.sort(key=lambda row: row[:3])
    entrants, kinds, symbols, quantity, average, mark = zip(*rows, strict=True)
    ts = pd.DatetimeIndex([at] * len(rows)).as_unit("us")
    frame = pd.DataFrame(
        {
            "ts": ts,
            "available_at": ts + DAY,
            "entrant": pd.array(entrants, dtype="str"),
            "kind": pd.array(kinds, dtype="str"),
            "symbol": pd.array(symbols, dtype="str"),
            "quantity": np.array(quantity, dtype=float),
            "average_price": np.array(average, dtype=float),
            "mark_price": np.array(mark, dtype=float),
        }
    )
    return FinalHoldings.check_frame(frame, where="test holdings")


def simulate(
    stage: SimulationContext,
    decided: pd.DataFrame,
    prices: pd.DataFrame,
    *,
    paid: pd.DataFrame | None = None,
    before: pd.DataFrame | None = None,
    telemetry: RecordingTelemetry | NullTelemetry | None = None,
) -> dict[str, pd.DataFrame]:
    """Run the stage and check every output against its contract."""
    result = simulate_window(
        stage,
        telemetry or NullTelemetry(),
        portfolio_weights=decided,
        bars=prices,
        funding=Funding.empty() if paid is None else paid,
        final_holdings=FinalHoldings.empty() if before is None else before,
    )
    assert list(result) == list(CONTRACTS)
    for name, contract in CONTRACTS.items():
        contract.check_frame(result[name], where=name)
    return result


def cash_of(result: dict[str, pd.DataFrame], entrant: str = "e") -> float:
    rows = result["final_holdings"].query("entrant == @entrant and kind == 'cash'")
    return float(rows["quantity"].iloc[0])


def quantities(result: dict[str, pd.DataFrame], entrant: str = "e") -> dict[str, float]:
    rows = result["final_holdings"].query("entrant == @entrant and kind == 'position'")
    return dict(zip(rows["symbol"], rows["quantity"], strict=True))
