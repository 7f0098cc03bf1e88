"""Moments of returns: covariance, expected returns, views, distances and clusters."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
