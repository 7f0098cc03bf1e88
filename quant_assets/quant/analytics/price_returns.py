"""Returns of prices, for whoever comes with prices: the library's figures take returns."""

from quant_assets.quant.market.price_returns import log_returns, simple_returns

__all__ = ["log_returns", "simple_returns"]
