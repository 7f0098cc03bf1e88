"""What happened to the portfolios: fills, trades, equity and what is held at the end."""

from quant_assets.contracts.equity import Equity
from quant_assets.contracts.fills import Fills
from quant_assets.contracts.final_holdings import FinalHoldings
from quant_assets.contracts.trades import Trades
from quant_assets.core.context import SimulationContext
from quant_assets.orchestration.cells import CellSpec, window_asset
from quant_assets.orchestration.partitions import previous_window, this_window
from quant_assets.orchestration.strategy_roles import entrant_reads
from quant_assets.orchestration.walk import walk
from quant_assets.orchestration.workspace import current_workspace
from quant_assets.quant.simulation.strategy_entrants import simulate_entrants


@window_asset(
    CellSpec(
        outs={
            "final_holdings": FinalHoldings,
            "fills": Fills,
            "trades": Trades,
            "equity": Equity,
        },
        kind="outcome",
        group="simulation",
        context=SimulationContext,
        step=simulate_entrants,
        reads={
            "portfolio_weights": this_window(),
            "bars": this_window(),
            "funding": this_window(),
            "final_holdings": previous_window(),
            **entrant_reads(current_workspace()),
        },
        chain="final_holdings",
    )
)
def simulation(context, portfolio_weights, bars, funding, final_holdings, **strategies):
    """Orders of the window on its bars, with costs; holdings carried from window to window."""
    return walk(
        context,
        portfolio_weights=portfolio_weights,
        bars=bars,
        funding=funding,
        final_holdings=final_holdings,
        **strategies,
    )
