"""Independent draws."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import whole
from quant_assets.quant.tuning.searches.base import Proposals, Search, in_batches
from quant_assets.quant.tuning.space import Point, Space

__all__ = ["RandomDraws"]


@dataclass(frozen=True, kw_only=True)
class RandomDraws(Search):
    """`trials` independent uniform draws of each parameter. Bergstra & Bengio (2012).

    A draw that comes up twice is one trial: it is not simulated again.
    """

    name: ClassVar[str] = "random"
    trials: int = whole(100, least=1)
    seed: int = whole(0, least=0)
    batch: int = whole(64, least=1)

    def count(self, space: Space) -> int:
        """See the base class."""
        del space
        return self.trials

    def foreseen(self, space: Space) -> Generator[Point, None, None]:
        """See the base class."""
        return self._draws(space)

    def proposals(self, space: Space) -> Proposals:
        """See the base class."""
        return in_batches(self._draws(space), self.batch)

    def _draws(self, space: Space) -> Generator[Point, None, None]:
        rng = np.random.default_rng(self.seed)
        for _ in range(self.trials):
            yield space.at(rng.random(len(space.names)).tolist())
