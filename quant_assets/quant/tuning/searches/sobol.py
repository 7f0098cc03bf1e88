"""Points that fill the space evenly."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.core.parameters import whole
from quant_assets.quant.tuning.searches.base import Proposals, Search, in_batches
from quant_assets.quant.tuning.space import Point, Space

__all__ = ["Sobol"]


@dataclass(frozen=True, kw_only=True)
class Sobol(Search):
    """The first `trials` points of a scrambled Sobol sequence; powers of 2 fill most evenly.

    Sobol (1967), scrambled after Owen (1998) by `scipy.stats.qmc`. More trials of one seed begin
    with the points of fewer.
    """

    name: ClassVar[str] = "sobol"
    trials: int = whole(128, least=1)
    seed: int = whole(0, least=0)
    batch: int = whole(64, least=1)

    def count(self, space: Space) -> int:
        """See the base class."""
        del space
        return self.trials

    def foreseen(self, space: Space) -> Generator[Point, None, None]:
        """See the base class."""
        return self._points(space)

    def proposals(self, space: Space) -> Proposals:
        """See the base class."""
        return in_batches(self._points(space), self.batch)

    def _points(self, space: Space) -> Generator[Point, None, None]:
        from scipy.stats import qmc

        exponent = max(self.trials - 1, 1).bit_length()
        sequence = qmc.Sobol(len(space.names), scramble=True, bits=30, rng=self.seed)
        for shares in sequence.random_base2(exponent)[: self.trials]:
            yield space.at(shares.tolist())
