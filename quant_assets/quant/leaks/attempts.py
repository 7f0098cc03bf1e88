"""One run after the other over other futures, each as if there had been none before."""

import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from quant_assets.quant.leaks.futures import Futures
from quant_assets.quant.leaks.memory import Memory
from quant_assets.quant.leaks.outputs import Array, outputs_of
from quant_assets.quant.leaks.samples import Sample

Outputs = dict[str, Array]


class Attempts:
    """Runs a subject, puts back what it remembers, and counts the rows.

    run : the subject. root : the object whose memory is put back, or that memory.
    """

    def __init__(self, run: Callable[[Any], Any], sample: Sample, root: Any, seed: int) -> None:
        self.run = run
        self.memory = root if isinstance(root, Memory) else Memory(root)
        self.futures = Futures(sample, np.random.default_rng([seed, 1]))
        self.rows = 0

    def fresh(self, sample: Sample, *, seed: int = 0) -> Outputs:
        """Outputs of a run that remembers nothing of the runs before it."""
        self.memory.restore()
        return self.again(sample, seed=seed)

    def again(self, sample: Sample, *, seed: int = 0) -> Outputs:
        """Outputs of a run that remembers what the last one left behind."""
        seeded(seed)
        self.rows += len(sample)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # noise and gaps make warnings that mean nothing here
            return outputs_of(self.run(sample.value()), sample)

    def kept(self, outputs: Outputs) -> Outputs:
        """Copies of outputs that are the data themselves, where these are written to later."""
        if self.futures.original.read_only:
            return outputs
        data = list(self.futures.restored().arrays.values())
        return {
            name: array.copy() if any(np.may_share_memory(array, d) for d in data) else array
            for name, array in outputs.items()
        }


def seeded(seed: int) -> None:
    """Begin the global random numbers anew: those that unseeded code draws from."""
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Leave the global random generators as they were found."""
    numbers, plain = np.random.get_state(), random.getstate()  # noqa: NPY002 - as above
    try:
        yield
    finally:
        np.random.set_state(numbers)  # noqa: NPY002
        random.setstate(plain)
