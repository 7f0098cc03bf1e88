"""The running parts that an indicator is put together from.

A node is a kernel with its state. It is called once for each block of rows and gives as many rows
back, in arrays of its own that its next call overwrites.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.rooms import aligned

Block = npt.NDArray[np.float64]
Kernel = Callable[..., None]
Unary = Callable[[Block], Block]


class Shared:
    """What several indicators in one walk have in common.

    `names` tells what an array of this turn is: a column, or a result of a node that depends on
    columns alone. A node that another one with the same kernel and parameters has preceded on the
    same arrays gives that one's results. The first turn finds out which results are `common` to
    several; all others are needed by one indicator at a time, and take turns in the same rooms,
    which stay in the cache.
    """

    def __init__(self) -> None:
        self.names: dict[int, Hashable] = {}
        self.first: dict[Hashable, Node] = {}
        self.common: set[Hashable] = set()
        self._turns, self._taken = 0, 0
        self._rooms: list[Block] = []

    def begin(self, columns: Mapping[str, Block]) -> None:
        """Start a turn with the next blocks of the columns, which stay alive until the next."""
        self.names = {id(block): name for name, block in columns.items()}
        self._turns += 1

    def next_indicator(self) -> None:
        """Nobody needs the results of the last one's own nodes any more."""
        self._taken = 0

    def is_lone(self, key: Hashable) -> bool:
        """Whether no other indicator asks for the results of this kernel on these arrays."""
        return self._turns > 1 and key not in self.common

    def room(self, n_rows: int, n_values: int) -> Block:
        """A room for results that this indicator alone needs, and in this turn only."""
        if self._taken == len(self._rooms):
            self._rooms.append(aligned(n_rows, n_values))
        if len(self._rooms[self._taken]) < n_rows:
            self._rooms[self._taken] = aligned(n_rows, n_values)
        self._taken += 1
        return self._rooms[self._taken - 1][:n_rows]


class Node:
    """A kernel, its parameters and its state (k, symbol).

    The kernel is called as `kernel(*blocks, rows seen before, state, *parameters, *outputs)`. The
    results are not to be written to.
    """

    def __init__(
        self, nodes: "Nodes", kernel: Kernel, state: Block, parameters: tuple[float, ...], room: int
    ) -> None:
        self.state = state
        self.window: int | None = None
        self.period = 1
        self.results: tuple[Block, ...] = ()
        self._nodes, self._kernel, self._parameters = nodes, kernel, parameters
        self._room: list[Block] = [np.empty((0, 0))] * room

    def __call__(self, *blocks: Block) -> Any:
        """Outputs for the next rows: a block, or a tuple of them."""
        shared = self._nodes.shared
        results = self._alone(blocks) if shared is None else self._once(blocks, shared)
        return results[0] if len(results) == 1 else results

    def _once(self, blocks: tuple[Block, ...], shared: Shared) -> tuple[Block, ...]:
        inputs = tuple(shared.names.get(id(block)) for block in blocks)
        key = (self._kernel, self._parameters, inputs)
        if None in inputs or shared.is_lone(key):
            shape = blocks[0].shape
            return self._run(blocks, tuple(shared.room(*shape) for _ in self._room))
        first = shared.first.setdefault(key, self)
        if first is self:
            shared.names |= {id(block): (key, i) for i, block in enumerate(self._alone(blocks))}
        else:
            shared.common.add(key)
        return first.results

    def _alone(self, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        shape = blocks[0].shape
        if len(self._room[0]) < shape[0]:
            self._room = [aligned(*shape) for _ in self._room]
        return self._run(blocks, tuple(room[: shape[0]] for room in self._room))

    def _run(self, blocks: tuple[Block, ...], results: tuple[Block, ...]) -> tuple[Block, ...]:
        self.results = results
        self._kernel(*blocks, self._nodes.seen, self.state, *self._parameters, *results)
        return results


class Nodes:
    """The nodes of one run of one indicator, and the number of rows that they have seen."""

    def __init__(self, n_symbols: int, shared: Shared | None = None) -> None:
        self.n_symbols = n_symbols
        self.shared = shared
        self.seen = 0
        self.members: list[Node] = []

    def add(
        self,
        kernel: Kernel,
        state: Block,
        *parameters: float,
        n_outputs: int = 1,
        window: int | None = None,
        period: int = 1,
    ) -> Callable[..., Any]:
        """A node for any kernel; `empty` and `zeros` make its state.

        Nodes of equal kernel and parameters must start with equal states: they may be shared.
        `window` is for kernels whose results depend on the last `window` rows alone (0: on the row
        itself), and on the rows seen before at most through their number modulo `period`.
        """
        node = Node(self, kernel, state, parameters, n_outputs)
        node.window, node.period = window, period
        self.members.append(node)
        return node

    def empty(self, n_rows: int) -> Block:
        """A state of NaN, (n_rows, symbol)."""
        return aligned(n_rows, self.n_symbols, np.nan)

    def zeros(self, n_rows: int) -> Block:
        """A state of 0, (n_rows, symbol)."""
        return aligned(n_rows, self.n_symbols, 0.0)

    def sum(self, n: int) -> Unary:
        """Sum of the last n rows; NaN while one of them is."""
        from quant_assets.quant.indicators.nodes_kernel import window_sum

        return self.add(window_sum, self.empty(n + 1), n, 1.0, window=n, period=n)

    def mean(self, n: int) -> Unary:
        """Mean of the last n rows; NaN while one of them is."""
        from quant_assets.quant.indicators.nodes_kernel import window_sum

        return self.add(window_sum, self.empty(n + 1), n, 1.0 / n, window=n, period=n)

    def highest(self, n: int) -> Unary:
        """Largest of the last n rows; NaN while one of them is."""
        from quant_assets.quant.indicators.nodes_kernel import window_max

        return self.add(window_max, self.empty(n + 1), n, 1.0, window=n, period=n)

    def lowest(self, n: int) -> Unary:
        """Smallest of the last n rows; NaN while one of them is."""
        from quant_assets.quant.indicators.nodes_kernel import window_max

        return self.add(window_max, self.empty(n + 1), n, -1.0, window=n, period=n)

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

        return self.add(lag, self.empty(n), n, window=n)

    def rate(self, n: int) -> Unary:
        """Change over n rows in percent; 0 from 0."""
        from quant_assets.quant.indicators.nodes_kernel import rate

        return self.add(rate, self.empty(n), n, 100.0, window=n)

    def true_range(self) -> Callable[[Block, Block, Block], Block]:
        """True range of (high, low, close); NaN on the first row and behind a NaN."""
        from quant_assets.quant.indicators.nodes_kernel import true_range

        return self.add(true_range, self.empty(1), window=1)


def share(part: Block, whole: Block, *, scale: float = 100.0) -> Block:
    """`scale * part / whole`, and 0 where the whole is 0."""
    from quant_assets.quant.indicators.nodes_kernel import share as kernel

    return kernel(part, whole, scale)


def where_known(result: Block, other: Block) -> Block:
    """The result, NaN on rows where the other is: for a line that begins with its average."""
    from quant_assets.quant.indicators.nodes_kernel import known

    return known(result, other)


def together(*results: Block) -> tuple[Block, ...]:
    """The same results, NaN on rows where one of them is."""
    judge = sum(results[1:], results[0])
    return tuple(where_known(result, judge) for result in results)
