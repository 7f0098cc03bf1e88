"""Strategies: composed of signals, sizing, risk and regime; they decide, the simulation fills."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
