"""From streams to weights: every tournament entrant, then the hardened chain."""

from quant_assets.contracts.portfolio_weights import PortfolioWeights
from quant_assets.contracts.target_weights import TargetWeights
from quant_assets.core.context import HardeningContext, OptimizationContext
from quant_assets.orchestration.cells import CellSpec, window_asset
from quant_assets.orchestration.partitions import History, previous_window, this_window, training
from quant_assets.orchestration.walk import walk
from quant_assets.quant.optimization.entrants import optimize_window
from quant_assets.quant.optimization.weights_chain import harden_window


@window_asset(
    CellSpec(
        outs={},
        kind="decision",
        group="optimization",
        context=OptimizationContext,
        step=optimize_window,
        reads={"alpha_streams": this_window(), "returns_matrix": training()},
        plugins=(
            "quant_assets.quant.optimization",
            "quant_assets.quant.optimization.selections",
            "quant_assets.quant.moments.covariances",
        ),
    ),
    contract=TargetWeights,
)
def target_weights(context, alpha_streams, returns_matrix):
    """What each entrant wants, with its solver's report; grain: decision x entrant x symbol."""
    return walk(context, alpha_streams=alpha_streams, returns_matrix=returns_matrix)


@window_asset(
    CellSpec(
        outs={},
        kind="decision",
        group="optimization",
        context=HardeningContext,
        step=harden_window,
        reads={
            "target_weights": this_window(),
            "returns_matrix": History(lambda _venue: 2, -1),
            "portfolio_weights": previous_window(),
        },
        chain="portfolio_weights",
        plugins=(
            "quant_assets.quant.optimization.constraints",
            "quant_assets.quant.optimization.cost_models",
        ),
    ),
    contract=PortfolioWeights,
)
def portfolio_weights(context, target_weights, returns_matrix, portfolio_weights):
    """Weights that break no constraint, and the chain; grain: decision x entrant x symbol."""
    return walk(
        context,
        target_weights=target_weights,
        returns_matrix=returns_matrix,
        portfolio_weights=portfolio_weights,
    )
