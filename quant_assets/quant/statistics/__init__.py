"""Statistics of arrays: ranks, moments, regressions, inference that survives many looks."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
