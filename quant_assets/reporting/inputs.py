"""What a tear sheet is made from: frames that satisfy their contracts, and where they come from."""

from dataclasses import dataclass, field

import pandas as pd

from quant_assets.contracts.candidate_clusters import CandidateClusters
from quant_assets.contracts.equity import Equity
from quant_assets.contracts.monte_carlo import MonteCarlo
from quant_assets.contracts.overfitting import Overfitting
from quant_assets.contracts.portfolio_weights import PortfolioWeights
from quant_assets.contracts.reference_returns import ReferenceReturns
from quant_assets.contracts.signal_metrics import SignalMetrics
from quant_assets.contracts.target_weights import TargetWeights
from quant_assets.contracts.tournament import Tournament
from quant_assets.contracts.window_metrics import WindowMetrics
from quant_assets.core.context import Mode
from quant_assets.core.venues import Venue


@dataclass(frozen=True)
class AssetProvenance:
    """One input asset: digest of its manifests, rows read, and digest of the code that made it."""

    asset: str
    sha256: str
    rows: int | None = None
    code_version: str = ""


@dataclass(frozen=True)
class Provenance:
    """All input assets, and the digest of the environment that computed them (may be empty)."""

    assets: tuple[AssetProvenance, ...] = ()
    environment: str = ""


@dataclass(frozen=True, eq=False)
class TearSheetInputs:
    """Everything on the page. Frames hold all windows; a frame without rows is shown as missing.

    `alpha_streams` and `fills` are optional: they add the alpha of each holding and the number of
    fills. `stamps` are sentences; text before a colon is emphasised.
    """

    venue: Venue
    mode: Mode
    equity: pd.DataFrame = field(default_factory=Equity.empty)
    window_metrics: pd.DataFrame = field(default_factory=WindowMetrics.empty)
    reference_returns: pd.DataFrame = field(default_factory=ReferenceReturns.empty)
    portfolio_weights: pd.DataFrame = field(default_factory=PortfolioWeights.empty)
    target_weights: pd.DataFrame = field(default_factory=TargetWeights.empty)
    candidate_clusters: pd.DataFrame = field(default_factory=CandidateClusters.empty)
    signal_metrics: pd.DataFrame = field(default_factory=SignalMetrics.empty)
    tournament: pd.DataFrame = field(default_factory=Tournament.empty)
    overfitting: pd.DataFrame = field(default_factory=Overfitting.empty)
    monte_carlo: pd.DataFrame = field(default_factory=MonteCarlo.empty)
    alpha_streams: pd.DataFrame | None = None
    fills: pd.DataFrame | None = None
    stamps: tuple[str, ...] = ()
    provenance: Provenance = Provenance()
