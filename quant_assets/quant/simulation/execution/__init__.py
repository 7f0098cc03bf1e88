"""The event backtester: orders, fills, costs and the ledger."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
