"""The stage `model_leaks`: the leak check of every cell that plug-ins made, on the venue's data."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from quant_assets.contracts.model_leaks import ModelLeaks
from quant_assets.core.context import (
    AlphaContext,
    DiscoveryContext,
    HardeningContext,
    Mode,
    OptimizationContext,
    SimulationContext,
    StageContext,
    SynthesisContext,
)
from quant_assets.core.registry import discover
from quant_assets.core.telemetry import NullTelemetry, Telemetry
from quant_assets.core.venues import (
    AlphaParameters,
    DiscoveryParameters,
    Market,
    OptimizationParameters,
    SimulationParameters,
    SynthesisParameters,
)
from quant_assets.core.windows import Window
from quant_assets.quant.discovery.base import Screen
from quant_assets.quant.discovery.candidates import SCREENS_PACKAGE, candidate_pool_window
from quant_assets.quant.leaks.accounts import ACCOUNTS, Account, examine_accounts
from quant_assets.quant.leaks.cells import CellVerdict, Frames, Remade, examine_cell, with_noise
from quant_assets.quant.leaks.parts import Parts, as_one, by_columns, by_rows
from quant_assets.quant.market.universe import universe_window
from quant_assets.quant.moments.covariances.base import CovarianceEstimator
from quant_assets.quant.moments.means.base import MeanEstimator
from quant_assets.quant.optimization.entrants import entrant_classes, optimize_window
from quant_assets.quant.optimization.entries import Entry, cost_models, selections
from quant_assets.quant.optimization.weights_chain import harden_window
from quant_assets.quant.synthesis.correlations import correlations_window
from quant_assets.quant.synthesis.inference import (
    PREFIX,
    SIGNALS_PACKAGE,
    alpha_signals_window,
)
from quant_assets.quant.synthesis.partitioning import candidate_clusters_window
from quant_assets.quant.synthesis.signals.base import Signal

Kinds = Mapping[str, type[Any]]
Stage = TypeVar("Stage", bound=StageContext)
NOISE_SEED = 0
CHAIN = "portfolio_weights"


class LeakContext(StageContext):
    """What the stages that are made again depend on."""

    market: Market
    discovery: DiscoveryParameters
    alpha: AlphaParameters
    synthesis: SynthesisParameters
    optimization: OptimizationParameters
    simulation: SimulationParameters
    mode: Mode

    def of_stage(self, kind: type[Stage]) -> Stage:
        """The context that the stage of this kind was given."""
        return kind(**{name: getattr(self, name) for name in kind.model_fields})


@dataclass(frozen=True)
class Decision:
    """A stage that decides: what it reads, and which plug-ins make which part of its frame."""

    asset: str
    step: Callable[..., pd.DataFrame]
    context: type[StageContext]
    reads: tuple[str, ...]
    parts: Parts
    kinds: Callable[[LeakContext], Kinds] = lambda _context: {}


def _screens(_context: LeakContext) -> Kinds:
    return discover(SCREENS_PACKAGE, Screen)


def _signals(context: LeakContext) -> Kinds:
    every = discover(SIGNALS_PACKAGE, Signal)
    named = context.alpha.signal_weights
    return {name: kind for name, kind in every.items() if kind.by_default or name in named}


def _entrants(context: LeakContext) -> Kinds:
    """Optimizers by the entrants' names; selections and estimators, which they go through."""
    limits = context.optimization
    chosen = {f"selection {n}": type(one) for n, one in selections(limits).items()}
    optimizers = {
        Entry(name, selection, costs).name: kind
        for name, kind in entrant_classes(limits).items()
        for selection in selections(limits)
        for costs in cost_models(limits)
    }
    bases = (CovarianceEstimator, MeanEstimator)
    loaded = {f"estimator {kind.__qualname__}": kind for base in bases for kind in _loaded(base)}
    return {**optimizers, **chosen, **loaded}


def _loaded(base: type[Any]) -> Iterator[type[Any]]:
    """The plug-ins of a kind that this process has imported, and so may have used."""
    for kind in base.__subclasses__():
        yield kind
        yield from _loaded(kind)


def _cost_models(context: LeakContext) -> Kinds:
    return {f"costs {n}": type(one) for n, one in cost_models(context.optimization).items()}


DECISIONS = (
    Decision("universe", universe_window, DiscoveryContext, ("bars",), as_one("universe")),
    Decision(
        "candidate_pool",
        candidate_pool_window,
        DiscoveryContext,
        ("universe", "bars", "returns_matrix"),
        by_rows("rule"),
        _screens,
    ),
    Decision(
        "alpha_signals",
        alpha_signals_window,
        AlphaContext,
        ("candidate_pool", "alpha_features", "market_context", "returns_matrix"),
        by_columns(PREFIX, "blend"),
        _signals,
    ),
    Decision(
        "candidate_clusters",
        candidate_clusters_window,
        SynthesisContext,
        ("candidate_pool", "returns_matrix"),
        as_one("candidate_clusters"),
    ),
    Decision(
        "correlations",
        correlations_window,
        SynthesisContext,
        ("candidate_pool", "returns_matrix"),
        as_one("correlations"),
    ),
    Decision(
        "target_weights",
        optimize_window,
        OptimizationContext,
        ("alpha_streams", "returns_matrix"),
        by_rows("entrant"),
        _entrants,
    ),
    Decision(
        CHAIN,
        harden_window,
        HardeningContext,
        ("target_weights", "returns_matrix", CHAIN),
        by_rows("entrant"),
        _cost_models,
    ),
)


def model_leaks_window(
    context: LeakContext, telemetry: Telemetry, **frames: pd.DataFrame
) -> pd.DataFrame:
    """Verdicts on all cells of one window that plug-ins made, a `ModelLeaks` frame.

    frames : what the stages read, by asset: series of the training windows and of this one,
    decisions of this window, `portfolio_weights` and `final_holdings` with the window before.
    A plug-in that gave no number is not judged.
    """
    given = Given(context, frames)
    found = [
        *(v for stage in DECISIONS if len(frames[stage.asset]) for v in decided(given, stage)),
        *happened(given),
    ]
    found.sort(key=lambda verdict: (verdict.asset, verdict.plug_in))
    refused = sum(not verdict.trusted for verdict in found)
    telemetry.log_metrics("leaks", {"judged": float(len(found)), "refused": float(refused)})
    if not found:
        return ModelLeaks.empty()
    stamps = pd.DatetimeIndex([context.window.start, context.window.end]).tz_convert("UTC")
    stamps = stamps.as_unit("us")
    return pd.DataFrame(
        {
            "ts": stamps[[0] * len(found)],
            "available_at": stamps[[1] * len(found)],
            "asset": pd.array([v.asset for v in found], dtype="str"),
            "plug_in": pd.array([v.plug_in for v in found], dtype="str"),
            "verdict": pd.array([v.verdict for v in found], dtype="str"),
            "trusted": np.array([v.trusted for v in found]),
            "n_values": np.array([v.n_values for v in found], dtype=np.int64),
            "changed": np.array([v.changed for v in found], dtype=np.int64),
            "text": pd.array([v.text for v in found], dtype="str"),
        }
    )


class Given:
    """The frames of a window as its decision got them, and as a later one would, noise included."""

    def __init__(self, context: LeakContext, frames: Frames) -> None:
        lag = context.decided_at - context.window.start
        self.context, self.frames = context, frames
        self.start, self.decided_at = map(pd.Timestamp, (context.window.start, context.decided_at))
        self.later = context.model_copy(
            update={"decided_at": context.window.end + lag, "window": _next(context.window)}
        )
        self._generator = np.random.default_rng(NOISE_SEED)
        self._noise: dict[str, pd.DataFrame] = {}

    def known(self, asset: str, *, before: bool = False) -> pd.DataFrame:
        """What was known at the decision; `before` is what the chain handed on."""
        frame = self.frames[asset]
        if "decided_at" in frame.columns:
            mine = frame["decided_at"] == self.decided_at
            return frame[~mine if before else mine].reset_index(drop=True)
        known = (frame["ts"] < self.start) & (frame["available_at"] <= self.decided_at)
        return frame if known.all() else frame[known].reset_index(drop=True)

    def noise(self, asset: str, *, before: bool = False) -> pd.DataFrame:
        """What a decision at the window's end would be given, were the window noise."""
        if asset not in self._noise:
            self._noise[asset] = self._later(asset)
        return self.known(asset) if before else self._noise[asset]

    def _later(self, asset: str) -> pd.DataFrame:
        frame = self.frames[asset]
        moment = pd.Timestamp(self.later.decided_at)
        if "decided_at" in frame.columns:
            own = self.known(asset)
            return own.assign(
                decided_at=pd.Series(moment, own.index, dtype=own["decided_at"].dtype)
            )
        unknown = (frame["ts"] >= self.start) | (frame["available_at"] > self.decided_at)
        changed = with_noise(frame, unknown, self._generator)
        return changed[changed["available_at"] <= moment].reset_index(drop=True)


def _next(window: Window) -> Window:
    length = window.end - window.start
    return Window(key=f"{window.end:%Y-%m-%d}", start=window.end, end=window.end + length)


def decided(given: Given, stage: Decision) -> list[CellVerdict]:
    """Decide again what the window decided, after a later decision."""

    def run(context: LeakContext, frames: Callable[..., pd.DataFrame]) -> pd.DataFrame:
        read = {name: frames(name, before=name == stage.asset) for name in stage.reads}
        return stage.step(context.of_stage(stage.context), NullTelemetry(), **read)

    return examine_cell(
        Remade(
            asset=stage.asset,
            stored=given.known(stage.asset),
            parts=stage.parts,
            otherwise=partial(run, given.later, given.noise),
            again=partial(run, given.context, given.known),
            kinds=stage.kinds(given.context),
        )
    )


def happened(given: Given) -> list[CellVerdict]:
    """Execute the window again, on other bars after some of its own."""
    context, frames = given.context, given.frames
    own = {
        name: frames[name][frames[name]["ts"] >= given.start].reset_index(drop=True)
        for name in ("bars", "funding")
    }
    weights = given.known(CHAIN)
    simulation = context.of_stage(SimulationContext)
    made = {asset: frames[asset] for asset in ACCOUNTS}
    return examine_accounts(
        Account(simulation, weights, frames["final_holdings"], made=made, **own)
    )
