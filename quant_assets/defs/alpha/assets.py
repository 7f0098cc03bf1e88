"""What is known about each instrument and about the market, and the scores made of it."""

from quant_assets.contracts.alpha_features import AlphaFeatures
from quant_assets.contracts.alpha_signals import AlphaSignals
from quant_assets.contracts.market_context import MarketContext
from quant_assets.contracts.signal_decay import SignalDecay
from quant_assets.contracts.signal_metrics import SignalMetrics
from quant_assets.core.context import AlphaContext
from quant_assets.core.venues import Venue
from quant_assets.orchestration.cells import CellSpec, window_asset
from quant_assets.orchestration.partitions import lookback, this_window, training
from quant_assets.orchestration.walk import walk
from quant_assets.quant.features.market_state import market_context_window, market_lookback_bars
from quant_assets.quant.features.stage import alpha_features_window, lookback_bars
from quant_assets.quant.synthesis.decay import signal_decay_window
from quant_assets.quant.synthesis.inference import alpha_signals_window, signal_metrics_window

FEATURES = ("quant_assets.quant.features",)
SIGNALS = ("quant_assets.quant.synthesis.signals",)


def _feature_bars(venue: Venue) -> int:
    return lookback_bars(venue.alpha.month_bars)


def _market_bars(venue: Venue) -> int:
    return market_lookback_bars(venue.alpha.month_bars)


@window_asset(
    CellSpec(
        outs={},
        kind="series",
        group="alpha",
        context=AlphaContext,
        step=alpha_features_window,
        reads={
            "bars": lookback(_feature_bars),
            "funding": lookback(_feature_bars),
            "open_interest": lookback(_feature_bars),
            "liquidations": lookback(_feature_bars),
        },
        plugins=FEATURES,
    ),
    contract=AlphaFeatures,
)
def alpha_features(context, bars, funding, open_interest, liquidations):
    """One column per discovered feature; grain: bar x symbol; NaN in warm-up."""
    return walk(
        context,
        bars=bars,
        funding=funding,
        open_interest=open_interest,
        liquidations=liquidations,
    )


@window_asset(
    CellSpec(
        outs={},
        kind="series",
        group="alpha",
        context=AlphaContext,
        step=market_context_window,
        reads={"bars": lookback(_market_bars)},
    ),
    contract=MarketContext,
)
def market_context(context, bars):
    """Regime of the whole market with its confidence; grain: bar."""
    return walk(context, bars=bars)


@window_asset(
    CellSpec(
        outs={},
        kind="decision",
        group="alpha",
        context=AlphaContext,
        step=alpha_signals_window,
        reads={
            "candidate_pool": this_window(),
            "alpha_features": training(),
            "market_context": training(),
            "returns_matrix": training(),
        },
        plugins=(*SIGNALS, *FEATURES),
    ),
    contract=AlphaSignals,
)
def alpha_signals(context, candidate_pool, alpha_features, market_context, returns_matrix):
    """Scores of the candidates (ranks, MPS, model) and their blend; grain: decision x symbol."""
    return walk(
        context,
        candidate_pool=candidate_pool,
        alpha_features=alpha_features,
        market_context=market_context,
        returns_matrix=returns_matrix,
    )


@window_asset(
    CellSpec(
        outs={},
        kind="outcome",
        group="alpha",
        context=AlphaContext,
        step=signal_metrics_window,
        reads={"alpha_signals": this_window(), "returns_matrix": this_window()},
    ),
    contract=SignalMetrics,
)
def signal_metrics(context, alpha_signals, returns_matrix):
    """Rank IC of every signal over the window it was made for; grain: window x signal."""
    return walk(context, alpha_signals=alpha_signals, returns_matrix=returns_matrix)


@window_asset(
    CellSpec(
        outs={},
        kind="outcome",
        group="alpha",
        context=AlphaContext,
        step=signal_decay_window,
        reads={"alpha_signals": this_window(), "returns_matrix": this_window()},
    ),
    contract=SignalDecay,
)
def signal_decay(context, alpha_signals, returns_matrix):
    """How long each signal's opinion lasts, and fifths' returns; grain: window x signal x share."""
    return walk(context, alpha_signals=alpha_signals, returns_matrix=returns_matrix)
