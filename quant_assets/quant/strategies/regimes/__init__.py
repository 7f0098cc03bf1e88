"""Regimes: one causal classifier of markets per file; found by discovery."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
