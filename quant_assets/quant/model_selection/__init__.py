"""Splits of time into training and test rows, and what choosing among many trials costs."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
