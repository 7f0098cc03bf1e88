"""What a selection is: the streams that an optimizer gets to see."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Offered:
    """The streams of one decision, sorted by name.

    alpha, cluster : (stream,), the blended score in favour of the stream, and its cluster.
    returns : (time, stream), what the streams earned on the training rows; may have no rows.
    """

    alpha: Floats
    cluster: npt.NDArray[np.int64]
    returns: Floats


class Selection(ABC):
    """Choose among the streams before weights are sought; add one by adding a file.

    Guarantees: it only reads `offered`, chooses at least one of them, ties go by the order of the
    streams, and the same input gives the same choice.
    """

    name: ClassVar[str]

    @abstractmethod
    def choose(self, offered: Offered) -> Mask:
        """Which streams remain, (stream,)."""


def best(values: Floats, n_best: int) -> Mask:
    """The `n_best` highest of `values` (stream,), earlier ones first among equals."""
    chosen = np.zeros(len(values), dtype=bool)
    chosen[np.argsort(-values, kind="stable")[:n_best]] = True
    return chosen
