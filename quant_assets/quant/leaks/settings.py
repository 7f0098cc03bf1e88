"""How thoroughly a leak check looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from quant_assets.core.errors import ConfigError
from quant_assets.quant.leaks.outputs import ROUNDING_ULPS

__all__ = ["Settings"]

LEAST_BUDGET = 0.25
FREE_ROWS, EARLY_CUTS = 900, 4


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How thoroughly to look.

    budget : rows that are computed for the check, the first run left out, as a multiple of it.
    free_rows : rows that may be computed whatever the budget. Code over arrays takes no longer for
        a thousand rows than for a hundred, so that on few rows more of them are not felt; code that
        is called for each bar pays for each, and gets none.
    early : cuts in the first rows. Each costs a call, which takes longer than its few rows.
    tail : rows that follow a cut, as a share of those before it, 16 to 64.
    cuts : rows to cut behind, instead of the chosen ones; each is truncated, made noise and made
        missing. lead : rows by which an output stands ahead of its data: 1 for what must have been
        decided before its bar (a position held during it). ulps : rounding that floats may show.
    warm_up, tolerance : declared bars of start-up, and the relative difference at which an output
        counts as settled; start_up False leaves this part out.
    """

    budget: float = 0.75
    free_rows: int = FREE_ROWS
    early: int = EARLY_CUTS
    tail: float = 0.5
    cuts: Sequence[int] | None = None
    lead: int = 0
    ulps: float = ROUNDING_ULPS
    warm_up: int = 0
    tolerance: float = 1e-6
    start_up: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.budget < LEAST_BUDGET:
            raise ConfigError(f"budget {self.budget} must be at least {LEAST_BUDGET}")
        names = ("lead", "ulps", "warm_up", "free_rows", "early", "tail")
        wrong = {name: getattr(self, name) for name in names if getattr(self, name) < 0}
        if wrong:
            raise ConfigError(f"{wrong} must not be negative")

    @classmethod
    def thorough(cls, **more: Any) -> "Settings":
        """Twenty early cuts and three times the rows: for code that is looked at once."""
        return cls(**{"budget": 3.0, "free_rows": 4_000, "early": 20, **more})

    def rows_for(self, n_rows: int) -> float:
        """Rows that may be computed beside the first run over `n_rows`."""
        return max(self.budget * n_rows, self.free_rows)
