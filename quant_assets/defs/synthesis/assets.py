"""Correlations and clusters of candidates, and the return streams offered to the optimizers."""

from quant_assets.contracts.alpha_streams import AlphaStreams
from quant_assets.contracts.candidate_clusters import CandidateClusters
from quant_assets.contracts.correlations import Correlations
from quant_assets.core.context import StreamsContext, SynthesisContext
from quant_assets.orchestration.cells import CellSpec, window_asset
from quant_assets.orchestration.partitions import this_window, training
from quant_assets.orchestration.strategy_roles import stream_reads
from quant_assets.orchestration.walk import walk
from quant_assets.orchestration.workspace import current_workspace
from quant_assets.quant.synthesis.alpha_streams import alpha_streams_window
from quant_assets.quant.synthesis.correlations import correlations_window
from quant_assets.quant.synthesis.partitioning import candidate_clusters_window


@window_asset(
    CellSpec(
        outs={},
        kind="decision",
        group="synthesis",
        context=SynthesisContext,
        step=candidate_clusters_window,
        reads={"candidate_pool": this_window(), "returns_matrix": training()},
    ),
    contract=CandidateClusters,
)
def candidate_clusters(context, candidate_pool, returns_matrix):
    """Hierarchical clusters on shrunk correlations; grain: decision x symbol."""
    return walk(context, candidate_pool=candidate_pool, returns_matrix=returns_matrix)


@window_asset(
    CellSpec(
        outs={},
        kind="decision",
        group="synthesis",
        context=SynthesisContext,
        step=correlations_window,
        reads={"candidate_pool": this_window(), "returns_matrix": training()},
    ),
    contract=Correlations,
)
def correlations(context, candidate_pool, returns_matrix):
    """Shrunk correlation of each pair of candidates; grain: decision x symbol x other."""
    return walk(context, candidate_pool=candidate_pool, returns_matrix=returns_matrix)


@window_asset(
    CellSpec(
        outs={},
        kind="decision",
        group="synthesis",
        context=StreamsContext,
        step=alpha_streams_window,
        reads={
            "alpha_signals": this_window(),
            "candidate_clusters": this_window(),
            **stream_reads(current_workspace()),
        },
    ),
    contract=AlphaStreams,
)
def alpha_streams(context, alpha_signals, candidate_clusters, **strategies):
    """Instrument x side x strategy, biased by alpha; short of X is -X; grain: decision x stream."""
    inputs = {"alpha_signals": alpha_signals, "candidate_clusters": candidate_clusters}
    return walk(context, **inputs, **strategies)
