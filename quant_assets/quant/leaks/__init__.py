"""The leak check: no decision may change when data that were not known yet change."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
