"""How large an entry is: one file per entry sizer, found by walking."""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
