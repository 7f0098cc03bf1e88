"""Searches: which combinations of parameters are tried, one file per search, found by walking."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
