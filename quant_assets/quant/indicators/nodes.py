"""The running parts that an indicator is put together from.

A node is a kernel with its state. It is called with the next block of rows and gives as many rows
back, in an array of its own that its next call overwrites.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Block = npt.NDArray[np.float64]
Kernel = Callable[..., None]
Unary = Callable[[Block], Block]


class Node:
    """A kernel, its parameters and its state (k, symbol).

    The kernel is called as `kernel(*blocks, rows seen before, state, *parameters, *outputs)`.
    """

    def __init__(self, nodes: "Nodes", kernel: Kernel, state: Block, *parameters: float) -> None:
        self.state = state
        self._nodes, self._kernel, self._parameters = nodes, kernel, parameters
        self._room: tuple[Block, ...] = ()
        self.n_outputs = 1

    def __call__(self, *blocks: Block) -> Any:
        """Outputs for the next rows: a block, or a tuple of them."""
        n_rows, n_symbols = blocks[0].shape
        if not self._room or len(self._room[0]) < n_rows:
            self._room = tuple(np.empty((n_rows, n_symbols)) for _ in range(self.n_outputs))
        outputs = tuple(room[:n_rows] for room in self._room)
        self._kernel(*blocks, self._nodes.seen, self.state, *self._parameters, *outputs)
        return outputs[0] if self.n_outputs == 1 else outputs


class Nodes:
    """The nodes of one run of one indicator, and the number of rows that they have seen."""

    def __init__(self, n_symbols: int) -> None:
        self.n_symbols = n_symbols
        self.seen = 0
        self.members: list[Node] = []

    def add(
        self, kernel: Kernel, state: Block, *parameters: float, n_outputs: int = 1
    ) -> Callable[..., Any]:
        """A node for any kernel; `empty` and `zeros` make its state."""
        node = Node(self, kernel, state, *parameters)
        node.n_outputs = n_outputs
        self.members.append(node)
        return node

    def empty(self, n_rows: int) -> Block:
        """A state of NaN, (n_rows, symbol)."""
        return np.full((n_rows, self.n_symbols), np.nan)

    def zeros(self, n_rows: int) -> Block:
        """A state of 0, (n_rows, symbol)."""
        return np.zeros((n_rows, self.n_symbols))

    def sum(self, n: int) -> Unary:
        """Sum of the last n rows; NaN while one of them is."""
        from quant_assets.quant.indicators.nodes_kernel import window_sum

        return self.add(window_sum, self.empty(n + 1), n, 1.0)

    def mean(self, n: int) -> Unary:
        """Mean of the last n rows; NaN while one of them is."""
        from quant_assets.quant.indicators.nodes_kernel import window_sum

        return self.add(window_sum, self.empty(n + 1), n, 1.0 / n)

    def highest(self, n: int) -> Unary:
        """Largest of the last n rows; NaN while one of them is."""
        from quant_assets.quant.indicators.nodes_kernel import window_max

        return self.add(window_max, self.empty(n + 1), n, 1.0)

    def lowest(self, n: int) -> Unary:
        """Smallest of the last n rows; NaN while one of them is."""
        from quant_assets.quant.indicators.nodes_kernel import window_max

        return self.add(window_max, self.empty(n + 1), n, -1.0)

    def ema(self, n: int, *, skip: int = 0) -> Unary:
        """Exponential average, alpha 2 / (n + 1), seeded with the mean of n values after `skip`.

        A NaN gives NaN, and the seed starts again behind it.
        """
        return self._smooth(n, 2.0 / (n + 1.0), skip)

    def wilder(self, n: int, *, skip: int = 0) -> Unary:
        """Wilder's average: as `ema`, with alpha 1 / n."""
        return self._smooth(n, 1.0 / n, skip)

    def _smooth(self, n: int, alpha: float, skip: int) -> Unary:
        from quant_assets.quant.indicators.nodes_kernel import smooth

        state = self.zeros(2)
        state[0] = -1.0 * skip
        return self.add(smooth, state, n, alpha, skip)

    def lag(self, n: int) -> Unary:
        """The value n rows ago."""
        from quant_assets.quant.indicators.nodes_kernel import lag

        return self.add(lag, self.empty(n), n)

    def true_range(self) -> Callable[[Block, Block, Block], Block]:
        """True range of (high, low, close); NaN on the first row and behind a NaN."""
        from quant_assets.quant.indicators.nodes_kernel import true_range

        return self.add(true_range, self.empty(1))


def share(part: Block, whole: Block, *, scale: float = 100.0) -> Block:
    """`scale * part / whole`, and 0 where the whole is 0."""
    from quant_assets.quant.indicators.nodes_kernel import share as kernel

    return kernel(part, whole, scale)


def together(*results: Block) -> tuple[Block, ...]:
    """The same results, NaN on rows where one of them is."""
    absent = np.isnan(sum(results[1:], results[0]))
    return tuple(np.where(absent, np.nan, result) for result in results)
