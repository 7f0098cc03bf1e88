"""Search over parameters, walk-forward, Monte Carlo, cost surfaces: which strategy survives."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
