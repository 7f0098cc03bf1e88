"""Moving averages by the names that parameters use."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from quant_assets.core.errors import ConfigError
from quant_assets.quant.indicators.averages import Ema, Hma, Sma, Wma
from quant_assets.quant.indicators.base import Indicator
from quant_assets.quant.strategies.columns import Line

Average = Literal["sma", "ema", "wma", "hma"]
AVERAGES: Mapping[str, Callable[[int], Indicator[Any]]] = {
    "sma": Sma,
    "ema": Ema,
    "wma": Wma,
    "hma": Hma,
}


def average_of_closes(kind: str, n: int) -> Line:
    """The average called `kind` of n closes; an unknown one is a `ConfigError`."""
    if kind not in AVERAGES:
        raise ConfigError(f"average = {kind!r}; known: {', '.join(AVERAGES)}")
    return Line(AVERAGES[kind](n))
