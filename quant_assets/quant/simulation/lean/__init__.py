"""The short way: what needs market orders, rates and protective exits only, at memory speed."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
