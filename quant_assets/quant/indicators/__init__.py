"""Indicators: arrays `(time,)` or `(time, symbol)` in, arrays of the same shape out."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
