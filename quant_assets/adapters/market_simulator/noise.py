"""Seeded noise whose beginning does not depend on its length.

Every quantity of every symbol has a generator of its own, and draws in time order: a longer history
or another symbol changes nothing that was drawn before.
"""

import hashlib
import math

import numpy as np

from quant_assets.quant.market.panel import Floats

TAIL_DEGREES = 5.0
LARGEST_DRAW = 10.0


def generator(seed: int, *labels: str) -> np.random.Generator:
    """Make the generator of one named quantity."""
    words = hashlib.sha256("\n".join(labels).encode()).digest()
    entropy = [seed, *np.frombuffer(words, dtype="<u4").tolist()]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def heavy_tailed(rng: np.random.Generator, size: int) -> Floats:
    """Draw Student's t with 5 degrees of freedom, scaled to variance 1 and cut at ±10."""
    scale = math.sqrt((TAIL_DEGREES - 2.0) / TAIL_DEGREES)
    return np.clip(rng.standard_t(TAIL_DEGREES, size) * scale, -LARGEST_DRAW, LARGEST_DRAW)


def decay_of(half_life: float) -> float:
    """Find the factor per bar that halves a value in `half_life` bars."""
    return math.exp(-math.log(2.0) / half_life)


def recursion(inputs: Floats, decay: float, start: float = 0.0) -> Floats:
    """Solve `y[t] = decay * y[t-1] + inputs[t]` with `y[-1] = start`, 0 < decay < 1; shape (time,).

    Solved in blocks that are short enough for `decay^-k` to cost at most four digits of precision;
    the length of the blocks depends on `decay` alone, so a longer input has the same beginning.
    """
    length = max(1, int(math.log(1e4) / -math.log(decay)))
    n_blocks = -(-len(inputs) // length)
    padded = np.zeros(n_blocks * length)
    padded[: len(inputs)] = inputs
    powers = decay ** np.arange(1, length + 1)
    values = np.cumsum(padded.reshape(n_blocks, length) / powers, axis=1) * powers
    carried, last, factor = [start], values[:, -1].tolist(), float(powers[-1])
    for block in range(n_blocks - 1):
        carried.append(factor * carried[-1] + last[block])
    values += np.array(carried[:n_blocks])[:, None] * powers
    solved: Floats = values.ravel()[: len(inputs)]
    return solved


def wandering(rng: np.random.Generator, size: int, *, half_life: float, deviation: float) -> Floats:
    """Draw stationary Gaussian noise that reverts to 0 (a discrete Ornstein-Uhlenbeck process)."""
    decay = decay_of(half_life)
    start = deviation * float(rng.standard_normal())
    steps = rng.standard_normal(size) * (deviation * math.sqrt(1.0 - decay**2))
    return recursion(steps, decay, start)
