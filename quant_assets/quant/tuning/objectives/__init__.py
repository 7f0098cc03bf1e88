"""Objectives: what a search maximises, one file per objective, found by walking."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
