"""The same size for every held name."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.sizing.base import Floats, Sizer


@dataclass(frozen=True, kw_only=True)
class Fixed(Sizer):
    """`fraction` of equity in each held name, whatever its risk; it needs no history."""

    name: ClassVar[str] = "fixed"
    least_rows: ClassVar[int] = 0
    fraction: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_positive("fraction")

    def size(self, sides: Floats, rows: Floats) -> Floats:
        """`side * fraction`."""
        del rows
        return sides * self.fraction
