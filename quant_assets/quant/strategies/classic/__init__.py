"""Strategies of the textbooks: trends, breakouts, reversion, the calendar.

One file each; found by discovery (`strategies.library`).
"""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
