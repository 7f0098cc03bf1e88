"""Who can be traded: returns, point-in-time universe, candidate pool."""

from quant_assets.contracts.candidate_pool import CandidatePool
from quant_assets.contracts.returns import Returns
from quant_assets.contracts.universe import Universe
from quant_assets.core.context import DiscoveryContext
from quant_assets.orchestration.cells import CellSpec, window_asset
from quant_assets.orchestration.partitions import lookback, this_window, training
from quant_assets.orchestration.walk import walk
from quant_assets.quant.discovery.candidates import candidate_pool_window
from quant_assets.quant.market.returns import returns_window
from quant_assets.quant.market.universe import universe_window


@window_asset(
    CellSpec(
        outs={},
        kind="series",
        group="discovery",
        context=DiscoveryContext,
        step=returns_window,
        reads={"bars": lookback(lambda _venue: 1)},
    ),
    contract=Returns,
)
def returns_matrix(context, bars):
    """Simple close-to-close returns; grain: bar x symbol; NaN where either close is missing."""
    return walk(context, bars=bars)


@window_asset(
    CellSpec(
        outs={},
        kind="decision",
        group="discovery",
        context=DiscoveryContext,
        step=universe_window,
        reads={"bars": training()},
    ),
    contract=Universe,
)
def universe(context, bars):
    """Instruments known at the decision time, delisted ones included; grain: decision x symbol."""
    return walk(context, bars=bars)


@window_asset(
    CellSpec(
        outs={},
        kind="decision",
        group="discovery",
        context=DiscoveryContext,
        step=candidate_pool_window,
        reads={"universe": this_window(), "bars": training(), "returns_matrix": training()},
        plugins=("quant_assets.quant.discovery",),
    ),
    contract=CandidatePool,
)
def candidate_pool(context, universe, bars, returns_matrix):
    """Every instrument against every rule, with its value; grain: decision x symbol x rule."""
    return walk(context, universe=universe, bars=bars, returns_matrix=returns_matrix)
