"""Prices that are published as integers."""

from quant_assets.adapters.layouts.base import SourceFile
from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.venues import Venue


def declared_scale(file: SourceFile, venue: Venue, *, like: float) -> float:
    """By what the venue's settings divide prices; `DataError` when they do not say.

    `like` is a usual scale of the layout, for the message.
    """
    scale = venue.provider.settings.get("scale")
    if scale is None:
        raise DataError(
            f"{file.name}: prices are integers, and venue {venue.name} does not say of what: set "
            f"provider.settings.scale, for example scale: {like:g} where {like:g} means 1.0"
        )
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not scale > 0:
        raise ConfigError(
            f"venue {venue.name}: provider.settings.scale: {scale!r} is no number above 0"
        )
    return float(scale)
