"""The leak check for a function of data, and for a feature."""

from collections.abc import Callable
from typing import Any

from quant_assets.quant.features.base import Feature, FeatureInputs
from quant_assets.quant.leaks.examination import examine
from quant_assets.quant.leaks.report import LeakReport
from quant_assets.quant.leaks.samples import sample_of
from quant_assets.quant.leaks.settings import Settings
from quant_assets.quant.market.bars import Instants

__all__ = ["check_feature", "check_function"]


def check_function(
    function: Callable[[Any], Any],
    panel: Any,
    *,
    decided_at: Instants | None = None,
    settings: Settings | None = None,
) -> LeakReport:
    """Whether any row of a function's outputs depends on rows that come after it.

    function : takes the data; returns arrays `(time,)` or `(time, symbol)`, series or frames, or
        tuples, dicts and dataclasses of them, one row per row of the data. It must not write to
        what it is given, and is called about a dozen times.
    panel : a `BarPanel`, `FeatureInputs`, a frame or series with one row per time, an array, or a
        dict of arrays whose first axis is time.
    decided_at : for bars, when each row's decision was taken; a row known later is then hidden.
    """
    name = getattr(function, "__qualname__", type(function).__name__)
    sample = sample_of(panel, decided_at=decided_at)
    return examine(
        function, sample, settings=settings or Settings(), root=function, subject=str(name)
    )


def check_feature(
    feature: Feature, inputs: FeatureInputs, *, settings: Settings | None = None
) -> LeakReport:
    """The check for a feature; its declared warm-up is its lookback."""
    if settings is None:
        settings = Settings(warm_up=feature.lookback.bars(inputs.month_bars))
    return examine(
        feature.compute,
        sample_of(inputs),
        settings=settings,
        root=feature,
        subject=f"feature {feature.name}",
    )
