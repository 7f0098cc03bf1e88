"""Event research: what events are followed by, in which strata, after which costs and delays."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
