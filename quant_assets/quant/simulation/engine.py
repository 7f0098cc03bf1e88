"""The simulation stage: one decision per window, executed and accounted bar by bar.

CONVENTIONS.md, Execution. Orders fill at the first bar with `ts >= decided_at`, at its open
(`next_open`) or its close (`next_close`; until then the old holdings earn the bar's return).
Weights are fractions of the equity that is left after the costs of the rebalance itself, which is
solved exactly. Buys pay reference x (1 + slippage), sells get reference x (1 - slippage), the fee
is taken on the notional at the fill price. `turnover` is traded reference notional over equity
before trading.

Gaps. A symbol without a price is not traded: its quantity stays, valued at its last known close
(the last mark), and its order is carried to its next bar with a price inside the window; an order
that finds none expires with the window. While some order is blocked, purchases are limited to
the cash in hand (never more borrowing than the target portfolio has), and the remainder follows
when a blocked order finds its price.

Funding is paid at its exact time on the position before any fill at that instant. One case is not
seen: a fill at the close of a window's very last bar with a settlement at that instant, which is a
row of the next window. Cash earns `cash_rate` (a negative balance pays it), geometrically per bar.
"""

from datetime import UTC

import numpy as np
import pandas as pd

from quant_assets.contracts.equity import Equity
from quant_assets.contracts.fills import Fills
from quant_assets.contracts.final_holdings import FinalHoldings
from quant_assets.contracts.trades import Trades
from quant_assets.core.context import SimulationContext
from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.simulation.inputs import (
    OpenAccounts,
    PriceGrid,
    codes_of,
    known_marks,
    open_accounts,
    price_grid,
)
from quant_assets.quant.simulation.outputs import (
    Labels,
    equity_frame,
    fill_frames,
    holdings_frame,
)
from quant_assets.quant.simulation.settlements import (
    funding_events,
    refuse_inverse,
    require_funding,
)
from quant_assets.quant.simulation.state import (
    FINE,
    IDENTITY_TOLERANCE,
    RUINED,
    UNAFFORDABLE,
    Accounts,
    Outcome,
    Prices,
    Rules,
)

BASIS_POINT = 1e-4


def simulate_window(
    context: SimulationContext,
    telemetry: Telemetry,
    *,
    portfolio_weights: pd.DataFrame,
    bars: pd.DataFrame,
    funding: pd.DataFrame,
    final_holdings: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Execute the window's decision for every entrant; frames by asset name.

    Parameters
    ----------
    portfolio_weights
        The window's decision. Held symbols without a row are sold; entrants without holdings start
        with `initial_equity` in cash.
    bars, funding
        Rows of this window. Without bars the holdings are handed on unchanged.
    final_holdings
        The previous window's result, or empty; mode `independent` does not look at it.

    Returns
    -------
    dict
        `final_holdings`, `fills`, `trades`, `equity`; equity has a row for every bar and entrant.

    Raises
    ------
    DataError
        A ruined account, costs above the equity, missing required funding, an inverse contract.
    """
    if context.mode == "independent":
        final_holdings = FinalHoldings.empty()
    if portfolio_weights.empty:
        return _idle(FinalHoldings.empty())
    _report_dropped(telemetry, final_holdings, portfolio_weights)
    if bars.empty:
        return _idle(_entrants_of(final_holdings, portfolio_weights))
    initial = context.simulation.initial_equity
    accounts, symbols = open_accounts(portfolio_weights, final_holdings, initial)
    refuse_inverse(symbols)
    return _simulate(context, telemetry, accounts, price_grid(bars, symbols), funding)


def _idle(holdings: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Nothing happened: `holdings` go on as they are."""
    return {
        "final_holdings": holdings,
        "fills": Fills.empty(),
        "trades": Trades.empty(),
        "equity": Equity.empty(),
    }


def _entrants_of(holdings: pd.DataFrame, portfolio_weights: pd.DataFrame) -> pd.DataFrame:
    entrants = tuple(sorted(set(portfolio_weights["entrant"].tolist())))
    kept = holdings[codes_of(entrants, holdings["entrant"].tolist()) >= 0]
    return kept.reset_index(drop=True)


def _report_dropped(
    telemetry: Telemetry, holdings: pd.DataFrame, portfolio_weights: pd.DataFrame
) -> None:
    """One telemetry row per entrant that has holdings and no weights any more."""
    entrants = set(portfolio_weights["entrant"].tolist())
    for entrant in sorted(set(holdings["entrant"].tolist()) - entrants):
        rows = holdings[(holdings["entrant"] == entrant).to_numpy()]
        equity = float((rows["quantity"] * rows["mark_price"]).sum())
        telemetry.log_metrics(f"simulation/{entrant}", {"dropped": 1.0, "equity": equity})


def _simulate(
    context: SimulationContext,
    telemetry: Telemetry,
    accounts: OpenAccounts,
    grid: PriceGrid,
    funding: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Run the kernel and turn its arrays into frames."""
    from quant_assets.quant.simulation import kernel  # numba: loaded on first use

    market, window = context.market, context.window
    if market.funding == "none":
        funding = funding.iloc[:0]
    marks = known_marks(grid, accounts.start_mark)
    events, outside = funding_events(funding, grid, market.bar_length)
    at_open = context.simulation.fill == "next_open"
    prices = Prices(grid.fill_prices(at_open=at_open), grid.closes, marks)
    state = Accounts(
        accounts.cash.copy(),
        accounts.quantity.copy(),
        accounts.average.copy(),
        accounts.weight,
        np.zeros(accounts.weight.shape, dtype=np.int64),
        np.zeros(accounts.weight.shape, dtype=np.int8),
    )
    result = kernel.run_accounts(state, prices, events, _rules(context, grid), accounts.equity())
    _raise_if_stopped(result, accounts.entrants, grid)
    if market.funding == "required":
        held = state.held_bars.max(axis=0)
        span = (window.start, window.end)
        require_funding(funding, grid.symbols, held, market.bar_length, span)
    labels = Labels(grid, accounts.entrants, market.currency, context.decided_at)
    fills, trades = fill_frames(labels, result.fills)
    positions = (state.quantity, state.average, marks[-1])
    telemetry.log_metrics(
        "simulation",
        {
            "fills": float(len(fills)),
            "expired_orders": float(np.count_nonzero(state.pending)),
            "funding_outside_bars": float(outside),
        },
    )
    return {
        "final_holdings": holdings_frame(labels, state.cash, positions),
        "fills": fills,
        "trades": trades,
        "equity": equity_frame(labels, result.book),
    }


def _rules(context: SimulationContext, grid: PriceGrid) -> Rules:
    costs, market = context.simulation, context.market
    decided = np.datetime64(context.decided_at.astimezone(UTC).replace(tzinfo=None), "us")
    return Rules(
        fee_rate=costs.fee_bps * BASIS_POINT,
        slippage_rate=costs.slippage_bps * BASIS_POINT,
        lot_size=costs.lot_size,
        interest=(1.0 + costs.cash_rate) ** (1.0 / market.bars_per_year) - 1.0,
        at_open=costs.fill == "next_open",
        first_bar=int(np.searchsorted(grid.ts, decided, side="left")),
    )


def _raise_if_stopped(result: Outcome, entrants: tuple[str, ...], grid: PriceGrid) -> None:
    """Turn the kernel's status into a `DataError` with entrant, bar and numbers."""
    if result.status == FINE:
        return
    where = f"entrant {entrants[result.entrant]!r} at {grid.ts[result.bar]} UTC"
    found, expected = float(result.found), float(result.expected)
    if result.status == RUINED:
        raise DataError(
            f"{where}: equity {found:.6g} is not positive, the account is ruined; lower "
            "optimization.max_gross or mend the prices of this bar"
        )
    if result.status == UNAFFORDABLE:
        raise DataError(
            f"{where}: the costs of the rebalance exceed the equity; lower simulation.fee_bps, "
            "simulation.slippage_bps or the turnover"
        )
    raise DataError(
        f"{where}: cash + positions = {found!r}, but profit and loss give {expected!r} "
        f"(relative error above {IDENTITY_TOLERANCE}); mend the prices of this bar"
    )
