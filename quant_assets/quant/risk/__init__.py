"""Risk rules: protective exits and limits, one file per rule, found by walking."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
