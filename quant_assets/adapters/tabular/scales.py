"""Prices that are published as integers."""

from collections.abc import Mapping

from quant_assets.adapters.layouts.base import SourceFile
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.venues import Venue

DEFAULT = "default"


def declared_scale(file: SourceFile, venue: Venue, *, symbol: str, like: float) -> float:
    """By what the venue's settings divide the prices of `symbol`; `DataError` when they do not say.

    The setting is one number for all, or a mapping of symbols to numbers, in which `default` stands
    for those that it does not name. `like` is a usual scale of the layout, for the message.
    """
    scale, key = venue.provider.settings.get("scale"), "provider.settings.scale"
    if isinstance(scale, Mapping):
        key = f"{key}.{symbol if symbol in scale else DEFAULT}"
        scale = scale.get(symbol, scale.get(DEFAULT))
    if scale is None:
        raise DataError(
            f"{file.name}: prices are integers, and venue {venue.name} does not say of what: set "
            f"{key}, for example {like:g} where {like:g} means 1.0"
        )
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not scale > 0:
        raise ConfigError(f"venue {venue.name}: {key}: {scale!r} is no number above 0")
    return float(scale)
