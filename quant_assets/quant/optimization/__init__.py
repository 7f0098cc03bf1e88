"""Portfolio optimizers (one file per entrant), hardening, and the two stages that use them.

`entrants.optimize_window` makes target weights, `weights_chain.harden_window` makes them tradable.
"""

from quant_assets.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
