"""Performance of return series, and the metrics of windows and tournaments."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
