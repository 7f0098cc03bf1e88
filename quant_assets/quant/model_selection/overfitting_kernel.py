"""Compiled loops of `overfitting`: Sharpe ratios of all strategies on all combinations of blocks.

Import this module lazily: it loads numba, whose disk cache notices changes of one file only.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

Function = TypeVar("Function", bound=Callable[..., Any])
compiled = cast("Callable[[Function], Function]", njit(cache=True, error_model="numpy", nogil=True))

# A variance below this share of the mean square is rounding of a constant.
CONSTANT = 1e-13


class Blocks(NamedTuple):
    """Sums of returns and of squares per block, (block, strategy); rows of one block.

    Returns are shifted by `shift` (strategy,) to be near 0 before they are squared.
    """

    sums: Floats
    squares: Floats
    shift: Floats
    rows: int


class Ranking(NamedTuple):
    """Per split: the best strategy in sample, its Sharpe ratio there and outside, its rank there.

    Ranks run from 1 (worst) to the number of strategies; ties share their average rank.
    """

    best: Integers
    inside: Floats
    outside: Floats
    rank: Floats


@compiled
def block_sums(returns: Floats, blocks: Blocks) -> None:
    """Fill `blocks.sums` and `blocks.squares` from `returns` (time, strategy), oldest rows left."""
    n_blocks, n = blocks.sums.shape
    first = returns.shape[0] - n_blocks * blocks.rows
    blocks.sums[:] = 0.0
    blocks.squares[:] = 0.0
    for b in range(n_blocks):
        for t in range(first + b * blocks.rows, first + (b + 1) * blocks.rows):
            for s in range(n):
                x = returns[t, s] - blocks.shift[s]
                blocks.sums[b, s] += x
                blocks.squares[b, s] += x * x


@compiled
def _sharpe(sums: Floats, squares: Floats, shift: Floats, rows: int, out: Floats) -> None:
    """Sharpe ratios (ddof 1) per strategy; 0 where the returns do not vary."""
    for s in range(sums.size):
        mean = sums[s] / rows
        spread = squares[s] - sums[s] * mean
        varies = spread > CONSTANT * squares[s]
        variance = spread / (rows - 1) if varies else 1.0
        out[s] = (mean + shift[s]) / np.sqrt(variance) if varies else 0.0


@compiled
def rank_splits(splits: Integers, blocks: Blocks, ranking: Ranking) -> None:
    """Judge every split; a row of `splits` names the blocks of its in-sample half.

    Sums are taken anew for each split: carried along, they would gather rounding, and strategies
    that are flat in a half would no longer tie.
    """
    n_blocks, n = blocks.sums.shape
    sums, squares, sharpe = np.empty((2, n)), np.empty((2, n)), np.empty((2, n))
    outside = np.ones(n_blocks, dtype=np.int64)
    rows = splits.shape[1] * blocks.rows
    for c in range(splits.shape[0]):
        outside[:] = 1
        for k in range(splits.shape[1]):
            outside[splits[c, k]] = 0
        sums[:], squares[:] = 0.0, 0.0
        for b in range(n_blocks):
            side = outside[b]
            for s in range(n):
                sums[side, s] += blocks.sums[b, s]
                squares[side, s] += blocks.squares[b, s]
        _sharpe(sums[0], squares[0], blocks.shift, rows, sharpe[0])
        _sharpe(sums[1], squares[1], blocks.shift, n_blocks * blocks.rows - rows, sharpe[1])
        best = int(np.argmax(sharpe[0]))
        chosen = sharpe[1, best]
        below, equal = 0, 0
        for s in range(n):
            below += sharpe[1, s] < chosen
            equal += sharpe[1, s] == chosen
        ranking.best[c], ranking.inside[c], ranking.outside[c] = best, sharpe[0, best], chosen
        ranking.rank[c] = below + (equal + 1) / 2.0


def warm_up() -> None:
    """Compile every function of this module for the types that `overfitting` passes."""
    returns = np.array([[0.0, 1.0], [1.0, 0.5], [0.5, 0.2], [0.3, 0.1]])
    blocks = Blocks(np.empty((2, 2)), np.empty((2, 2)), np.zeros(2), 2)
    block_sums(returns, blocks)
    ranking = Ranking(np.empty(1, dtype=np.int64), np.empty(1), np.empty(1), np.empty(1))
    rank_splits(np.array([[0]], dtype=np.int64), blocks, ranking)
