"""Metrics per window, the leaderboard, and the tear sheet."""

from quant_assets.contracts.check_results import CheckResults
from quant_assets.contracts.model_leaks import ModelLeaks
from quant_assets.contracts.monte_carlo import MonteCarlo
from quant_assets.contracts.overfitting import Overfitting
from quant_assets.contracts.report_files import ReportFiles
from quant_assets.contracts.search_trials import SearchTrials
from quant_assets.contracts.tournament import Tournament
from quant_assets.contracts.trial_ledger import TrialLedger
from quant_assets.contracts.window_metrics import WindowMetrics
from quant_assets.core.context import ReportingContext, StageContext
from quant_assets.core.venues import Venue
from quant_assets.orchestration.cells import CellSpec, window_asset
from quant_assets.orchestration.checks import EXAMINED_EVERY
from quant_assets.orchestration.partitions import (
    every_nth_decision,
    lookback,
    previous_window,
    this_window,
    training_and_this,
    whole_venue,
    with_window_before,
)
from quant_assets.orchestration.strategy_roles import leak_reads, walk_reads
from quant_assets.orchestration.walk import walk
from quant_assets.orchestration.workspace import Workspace, current_workspace
from quant_assets.quant.analytics.checks import CheckContext, check_window
from quant_assets.quant.analytics.monte_carlo import monte_carlo_venue
from quant_assets.quant.analytics.overfitting import overfitting_venue
from quant_assets.quant.analytics.search_trials import search_trials_venue
from quant_assets.quant.analytics.tournament import TournamentContext, leaderboard
from quant_assets.quant.analytics.trial_ledger import trial_ledger_venue
from quant_assets.quant.analytics.window_metrics import window_metrics_window
from quant_assets.quant.features.market_state import market_lookback_bars
from quant_assets.quant.features.stage import lookback_bars
from quant_assets.quant.leaks.stages import LeakContext, model_leaks_window
from quant_assets.reporting.tear_sheet import TearSheetContext, tear_sheet_window
from quant_assets.storage.trial_store import searched_trials, trials_digest

MODELS = (
    "quant_assets.quant.discovery",
    "quant_assets.quant.features",
    "quant_assets.quant.synthesis.signals",
    "quant_assets.quant.moments.covariances",
    "quant_assets.quant.moments.means",
    "quant_assets.quant.optimization",
    "quant_assets.quant.optimization.selections",
    "quant_assets.quant.optimization.constraints",
    "quant_assets.quant.optimization.cost_models",
)


def _feature_bars(venue: Venue) -> int:
    month = venue.alpha.month_bars
    return max(lookback_bars(month), market_lookback_bars(month))


@window_asset(
    CellSpec(
        outs={},
        kind="outcome",
        group="reporting",
        context=ReportingContext,
        step=window_metrics_window,
        reads={
            "equity": this_window(),
            "final_holdings": this_window(),
            "portfolio_weights": this_window(),
            "bars": this_window(),
            "reference_returns": this_window(),
        },
    ),
    contract=WindowMetrics,
)
def window_metrics(context, equity, final_holdings, portfolio_weights, bars, reference_returns):
    """One row per entrant and window: returns, risk, turnover, costs; grain: window x entrant."""
    return walk(
        context,
        equity=equity,
        final_holdings=final_holdings,
        portfolio_weights=portfolio_weights,
        bars=bars,
        reference_returns=reference_returns,
    )


@window_asset(
    CellSpec(
        outs={},
        kind="outcome",
        group="reporting",
        context=CheckContext,
        step=check_window,
        reads={
            "bars": lookback(_feature_bars),
            "funding": lookback(_feature_bars),
            "open_interest": lookback(_feature_bars),
            "liquidations": lookback(_feature_bars),
            "quality": this_window(),
            "doubts": this_window(),
            "alpha_features": this_window(),
            "market_context": this_window(),
            "portfolio_weights": this_window(),
            "equity": this_window(),
        },
        plugins=("quant_assets.quant.features",),
    ),
    contract=CheckResults,
)
def check_results(
    context,
    bars,
    funding,
    open_interest,
    liquidations,
    quality,
    doubts,
    alpha_features,
    market_context,
    portfolio_weights,
    equity,
):
    """Leaks, accounting identity, stated limits, gaps, quality; grain: window x asset x check."""
    return walk(
        context,
        bars=bars,
        funding=funding,
        open_interest=open_interest,
        liquidations=liquidations,
        quality=quality,
        doubts=doubts,
        alpha_features=alpha_features,
        market_context=market_context,
        portfolio_weights=portfolio_weights,
        equity=equity,
    )


@window_asset(
    CellSpec(
        outs={},
        kind="outcome",
        group="reporting",
        context=LeakContext,
        step=model_leaks_window,
        reads={
            "bars": training_and_this(),
            "funding": this_window(),
            "returns_matrix": training_and_this(),
            "alpha_features": training_and_this(),
            "market_context": training_and_this(),
            "universe": this_window(),
            "candidate_pool": this_window(),
            "alpha_signals": this_window(),
            "candidate_clusters": this_window(),
            "correlations": this_window(),
            "alpha_streams": this_window(),
            "target_weights": this_window(),
            "portfolio_weights": with_window_before(),
            "final_holdings": previous_window(),
            "equity": this_window(),
            "fills": this_window(),
        },
        plugins=MODELS,
        due=every_nth_decision(EXAMINED_EVERY),
    ),
    contract=ModelLeaks,
)
def model_leaks(
    context,
    bars,
    funding,
    returns_matrix,
    alpha_features,
    market_context,
    universe,
    candidate_pool,
    alpha_signals,
    candidate_clusters,
    correlations,
    alpha_streams,
    target_weights,
    portfolio_weights,
    final_holdings,
    equity,
    fills,
):
    """Leak check of screens, signals, optimizers, accounts; grain: window x asset x plug-in."""
    return walk(
        context,
        bars=bars,
        funding=funding,
        returns_matrix=returns_matrix,
        alpha_features=alpha_features,
        market_context=market_context,
        universe=universe,
        candidate_pool=candidate_pool,
        alpha_signals=alpha_signals,
        candidate_clusters=candidate_clusters,
        correlations=correlations,
        alpha_streams=alpha_streams,
        target_weights=target_weights,
        portfolio_weights=portfolio_weights,
        final_holdings=final_holdings,
        equity=equity,
        fills=fills,
    )


@window_asset(
    CellSpec(
        outs={},
        kind="venue",
        group="reporting",
        context=TournamentContext,
        step=leaderboard,
        reads={
            "equity": this_window(),
            "window_metrics": this_window(),
            "reference_returns": this_window(),
            "model_leaks": this_window(),
            **leak_reads(current_workspace()),
        },
    ),
    contract=Tournament,
)
def tournament(context, equity, window_metrics, reference_returns, model_leaks, **leaks):
    """Leaderboard of all entrants against the benchmark over all whole windows; grain: entrant."""
    return walk(
        context,
        equity=equity,
        window_metrics=window_metrics,
        reference_returns=reference_returns,
        model_leaks=model_leaks,
        **leaks,
    )


@window_asset(
    CellSpec(
        outs={},
        kind="venue",
        group="reporting",
        context=ReportingContext,
        step=trial_ledger_venue,
        reads={"equity": this_window()},
        extends_itself=True,
    ),
    contract=TrialLedger,
)
def trial_ledger(context, equity):
    """Daily returns of every entrant ever run on the venue; only grows; grain: trial x day."""
    return walk(context, equity=equity)


def _digest_of_searches(workspace: Workspace, venue: str) -> str:
    return trials_digest(workspace.store.layout.root, venue)


def _stored_searches(workspace: Workspace, context: StageContext) -> dict[str, object]:
    return {"stored": searched_trials(workspace.store.layout.root, context.venue)}


@window_asset(
    CellSpec(
        outs={},
        kind="venue",
        group="reporting",
        context=ReportingContext,
        step=search_trials_venue,
        reads=walk_reads(current_workspace()),
        extends_itself=True,
        source=_digest_of_searches,
        extras=_stored_searches,
    ),
    contract=SearchTrials,
)
def search_trials(context, **walks):
    """Combinations that sweeps and walk-forwards ever tried; only grows; grain: trial."""
    return walk(context, **walks)


@window_asset(
    CellSpec(
        outs={},
        kind="venue",
        group="reporting",
        context=ReportingContext,
        step=overfitting_venue,
        reads={
            "equity": this_window(),
            "trial_ledger": whole_venue(),
            "search_trials": whole_venue(),
        },
    ),
    contract=Overfitting,
)
def overfitting(context, equity, trial_ledger, search_trials):
    """What each entrant's record proves after all trials: PSR, DSR, PBO; grain: entrant."""
    return walk(context, equity=equity, trial_ledger=trial_ledger, search_trials=search_trials)


@window_asset(
    CellSpec(
        outs={},
        kind="venue",
        group="reporting",
        context=ReportingContext,
        step=monte_carlo_venue,
        reads={"equity": this_window()},
    ),
    contract=MonteCarlo,
)
def monte_carlo(context, equity):
    """Bands of each entrant's figures over resampled histories; grain: entrant x figure."""
    return walk(context, equity=equity)


@window_asset(
    CellSpec(
        outs={},
        kind="venue",
        group="reporting",
        context=TearSheetContext,
        step=tear_sheet_window,
        reads={
            "equity": this_window(),
            "window_metrics": this_window(),
            "reference_returns": this_window(),
            "portfolio_weights": this_window(),
            "target_weights": this_window(),
            "candidate_clusters": this_window(),
            "signal_metrics": this_window(),
            "tournament": whole_venue(),
            "overfitting": whole_venue(),
            "monte_carlo": whole_venue(),
            "model_leaks": this_window(),
            **leak_reads(current_workspace()),
        },
    ),
    contract=ReportFiles,
)
def tear_sheet(
    context,
    equity,
    window_metrics,
    reference_returns,
    portfolio_weights,
    target_weights,
    candidate_clusters,
    signal_metrics,
    tournament,
    overfitting,
    monte_carlo,
    model_leaks,
    **leaks,
):
    """One self-contained HTML page per venue; the frame lists its files by content."""
    return walk(
        context,
        equity=equity,
        window_metrics=window_metrics,
        reference_returns=reference_returns,
        portfolio_weights=portfolio_weights,
        target_weights=target_weights,
        candidate_clusters=candidate_clusters,
        signal_metrics=signal_metrics,
        tournament=tournament,
        overfitting=overfitting,
        monte_carlo=monte_carlo,
        model_leaks=model_leaks,
        **leaks,
    )
