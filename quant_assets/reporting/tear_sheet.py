"""The tear sheet of one venue: one offline HTML file, the same bytes for the same input."""

import hashlib
from typing import Any

import pandas as pd

from quant_assets.core.context import ReportingContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.core.venues import OptimizationParameters, StrategyRoles, Venue
from quant_assets.reporting.inputs import AssetProvenance, Provenance, TearSheetInputs
from quant_assets.reporting.model_leaks import model_stamps
from quant_assets.reporting.page import render_page
from quant_assets.reporting.sections import page_parts
from quant_assets.reporting.strategy_roles import role_stamps

FILE_NAME = "tear_sheet.html"


class TearSheetContext(ReportingContext):
    """A reporting context that also knows the venue's title, limits and strategies."""

    title: str
    description: str = ""
    optimization: OptimizationParameters
    strategies: StrategyRoles = StrategyRoles()


def render_tear_sheet(inputs: TearSheetInputs) -> str:
    """Write the whole page: no wall clock, no random ids, no network; it names what is absent."""
    return render_page(page_parts(inputs))


def tear_sheet_window(  # noqa: PLR0913 - one keyword per upstream asset
    context: TearSheetContext,
    telemetry: Telemetry,
    *,
    equity: pd.DataFrame,
    window_metrics: pd.DataFrame,
    reference_returns: pd.DataFrame,
    portfolio_weights: pd.DataFrame,
    target_weights: pd.DataFrame,
    candidate_clusters: pd.DataFrame,
    signal_metrics: pd.DataFrame,
    tournament: pd.DataFrame,
    overfitting: pd.DataFrame,
    monte_carlo: pd.DataFrame,
    model_leaks: pd.DataFrame,
    **leaks: pd.DataFrame,
) -> tuple[pd.DataFrame, dict[str, bytes]]:
    """Make the page of a venue: its ReportFiles frame, and its bytes by file name.

    `model_leaks` are those of all windows, `leaks` the `<strategy>_leaks` of the strategies that
    take part in the venue.

    The provenance table lists `context.inputs` (asset -> digest). The telemetry gets the size.
    """
    frames = {
        "equity": equity,
        "window_metrics": window_metrics,
        "reference_returns": reference_returns,
        "portfolio_weights": portfolio_weights,
        "target_weights": target_weights,
        "candidate_clusters": candidate_clusters,
        "signal_metrics": signal_metrics,
        "tournament": tournament,
        "overfitting": overfitting,
        "monte_carlo": monte_carlo,
    }
    inputs = TearSheetInputs(
        venue=_venue(context),
        mode=context.mode,
        stamps=(
            *_venue(context).stamps(),
            *role_stamps(context.strategies, leaks),
            *model_stamps(model_leaks),
        ),
        provenance=_provenance(context, frames),
        **frames,
    )
    content = render_tear_sheet(inputs).encode()
    telemetry.log_metrics(FILE_NAME, {"bytes": float(len(content))})
    files = pd.DataFrame(
        {
            "file": pd.Series([FILE_NAME], dtype="str"),
            "sha256": pd.Series([hashlib.sha256(content).hexdigest()], dtype="str"),
            "size": pd.Series([len(content)], dtype="int64"),
        }
    )
    return files, {FILE_NAME: content}


def _venue(context: TearSheetContext) -> Venue:
    """Rebuild as much of the venue as a report needs; the context validated it."""
    known: dict[str, Any] = {
        "name": context.venue,
        "title": context.title,
        "description": context.description,
        "market": context.market,
        "reference": context.reference,
        "optimization": context.optimization,
        "simulation": context.simulation,
        "reporting": context.reporting,
    }
    return Venue.model_construct(**known)


def _provenance(context: TearSheetContext, frames: dict[str, pd.DataFrame]) -> Provenance:
    return Provenance(
        tuple(
            AssetProvenance(asset, digest, len(frames[asset]) if asset in frames else None)
            for asset, digest in sorted(context.inputs.items())
        )
    )
