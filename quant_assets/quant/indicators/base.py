"""What an indicator is: written once, run over whole arrays or bar by bar.

An indicator is a frozen dataclass of its parameters. Its `program` puts nodes (kernels with
state) and plain elementwise arithmetic together into a function of the next block of rows.
`compute` runs it over blocks that fit the cache; a `Stream` runs it over whatever arrives. Both
are the same recursion over rows, so they agree bit for bit.

Rules that hold for all of them:

- Arrays are `(time,)` or `(time, symbol)`, oldest row first; results have the same shape, float64.
- NaN until `lookback` rows have gone by. A NaN in gives a NaN out, and touches no earlier row.
- An infinity is read as NaN.
- A window is NaN while it holds a NaN and exact afterwards; a recursion starts its seed again
  behind the NaN, as a series that begins there; a running total passes over it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import field, fields
from itertools import pairwise
from math import isfinite
from re import sub
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.registry import discover
from quant_assets.quant.indicators.folding import SHORT, UNFOLDED, Fold, fold_of, one_fold
from quant_assets.quant.indicators.nodes import Block, Nodes, Shared
from quant_assets.quant.indicators.rooms import Room, give, padded

__all__ = ["Indicator", "Stream", "catalogue", "compute_all"]

Floats = npt.NDArray[np.float64]
Program = Callable[..., Any]
State = dict[str, npt.NDArray[Any]]
Result = TypeVar("Result")
BLOCK_VALUES = 24_576  # values of one input in work at a time: 192 KiB
TILE_SYMBOLS = 512
STATE_VERSION = 1


def rows(default: int, *, least: int = 1) -> int:
    """A parameter that counts rows."""
    return field(default=default, metadata={"least": least})


def factor(default: float) -> float:
    """A parameter that is a positive number."""
    return field(default=default, metadata={"least": 0.0})


class Indicator(ABC, Generic[Result]):
    """A formula with its parameters.

    Subclass as a frozen dataclass; it is found by discovery, under the name of the class in small
    letters. `inputs` are the columns it reads; `result` is the named tuple it gives, None for a
    single array. `function` is the public function that computes it (else the one of its name).
    `skips_missing` is for running totals, which go on behind a missing row as if it had not been;
    `undefined` tells when the formula itself has no value, where there is such a case.
    """

    name: ClassVar[str]
    function: ClassVar[str]
    skips_missing: ClassVar[bool] = False
    undefined: ClassVar[str] = ""
    inputs: ClassVar[tuple[str, ...]] = ("close",)
    result: ClassVar[type | None] = None
    increasing: ClassVar[tuple[str, ...]] = ()  # parameters of which each exceeds the one before

    def __init_subclass__(cls) -> None:
        cls.name = sub(
            r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__
        ).lower()
        cls.function = vars(cls).get("function", cls.name)

    def __post_init__(self) -> None:
        """Refuse parameters that mean nothing."""
        for parameter in fields(cast("Any", self)):
            value, least = getattr(self, parameter.name), parameter.metadata["least"]
            if isinstance(least, int):
                wanted = f"a whole number of rows, at least {least}"
                sound = isinstance(value, int | np.integer) and value >= least
            else:
                wanted = "a positive number"
                sound = isinstance(value, int | float) and isfinite(value) and value > least
            sound = sound and not isinstance(value, bool)
            if not sound:
                raise ConfigError(f"{self.name}: {parameter.name} = {value!r}; it must be {wanted}")
            object.__setattr__(self, parameter.name, type(least)(value))
        for less, more in pairwise(self.increasing):
            if getattr(self, less) >= getattr(self, more):
                raise ConfigError(
                    f"{self.name}: {less} = {getattr(self, less)} and {more} = "
                    f"{getattr(self, more)}; {less} must be less than {more}"
                )

    @property
    @abstractmethod
    def lookback(self) -> int:
        """Rows without a value at the start; the first value stands on row `lookback`."""

    @abstractmethod
    def program(self, nodes: Nodes) -> Program:
        """Take nodes, and return the function from the next blocks of the inputs to the results.

        Between nodes only arithmetic that IEEE 754 rounds exactly is allowed (+ - * / sqrt abs
        and comparisons): other functions may depend on the length of the block.
        """

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the results."""
        return tuple(getattr(self.result, "_fields", (self.name,)))

    def compute(self, *arrays: npt.ArrayLike) -> Result:
        """Results for whole arrays, in the order of `inputs`: an array, or a named tuple."""
        columns = dict(zip(self.inputs, self._counted(arrays), strict=True))
        return cast("Result", compute_all({self.name: self}, columns)[self.name])

    def on(self, *columns: str) -> Self:
        """The same indicator, reading other columns: `Sma(20).on("volume")`."""
        if len(columns) != len(self.inputs):
            raise ConfigError(
                f"{self.name}: {len(columns)} columns {columns}; it reads {len(self.inputs)}: "
                f"{', '.join(self.inputs)}"
            )
        other = copy(self)
        object.__setattr__(other, "inputs", columns)
        return other

    def stream(self, n_symbols: int | None = None) -> "Stream[Result]":
        """A run that takes bars as they come: one series, or `n_symbols` at once."""
        return Stream(self, n_symbols)

    def _counted(self, arrays: Sequence[Any]) -> Sequence[Any]:
        if len(arrays) != len(self.inputs):
            raise DataError(
                f"{self.name}: {len(arrays)} arrays; it takes {len(self.inputs)}: "
                f"{', '.join(self.inputs)}"
            )
        return arrays

    def _gathered(self, results: Sequence[Any]) -> Result:
        return cast("Result", results[0] if self.result is None else self.result(*results))


def catalogue() -> dict[str, type[Indicator[Any]]]:
    """Every indicator by name: those of this package and of others (`quant_assets.indicators`)."""
    return discover("quant_assets.quant.indicators", Indicator)


class _Run:
    """One indicator under way: its nodes and the program over them."""

    def __init__(
        self, indicator: Indicator[Any], n_symbols: int, shared: Shared | None = None
    ) -> None:
        self.nodes = Nodes(n_symbols, shared)
        self._program = indicator.program(self.nodes)
        self._single = indicator.result is None

    def advance(self, blocks: Sequence[Block]) -> tuple[Block, ...]:
        """Results of the next rows, in arrays that the next call overwrites."""
        if self.nodes.shared is not None:
            self.nodes.shared.next_indicator()
        results = self._program(*blocks)
        self.nodes.seen += len(blocks[0])
        return (results,) if self._single else tuple(results)


class Stream(Generic[Result]):
    """An indicator that takes rows as they come, and gives what `compute` would give for them.

    `state` can be written with `numpy.savez` and given to `restore` of another stream of the same
    indicator, which then goes on where this one was.
    """

    def __init__(self, indicator: Indicator[Result], n_symbols: int | None = None) -> None:
        self.indicator, self.n_symbols = indicator, n_symbols
        self._run = _Run(indicator, 1 if n_symbols is None else n_symbols)

    def update(self, *values: npt.ArrayLike) -> Result:
        """Results of the next row or rows.

        values : one per input: a number or (rows,) for one series; (symbol,) or (rows, symbol)
            for several. The results have the shape of the values.
        """
        blocks, shape = [], None
        for name, value in zip(self.indicator.inputs, self.indicator._counted(values), strict=True):
            array = np.array(value, dtype=np.float64)
            if shape not in (None, array.shape):
                raise DataError(
                    f"{self.indicator.name}: {name} has shape {array.shape}, the others {shape}"
                )
            shape = array.shape
            blocks.append(_masked(self._as_block(array)))
        with np.errstate(all="ignore"):
            results = self._run.advance(blocks)
        return self.indicator._gathered(
            [_plain(np.array(result).reshape(shape or ())) for result in results]
        )

    def state(self) -> State:
        """All that the stream remembers, as arrays that can be saved without pickling."""
        nodes = self._run.nodes
        known: State = {
            "version": np.array(STATE_VERSION),
            "indicator": np.array(repr(self.indicator)),
            "n_symbols": np.array(nodes.n_symbols),
            "seen": np.array(nodes.seen),
        }
        return known | {f"node_{i}": node.state.copy() for i, node in enumerate(nodes.members)}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> "Stream[Result]":
        """Go on from a state of the same indicator and number of symbols; returns the stream."""
        nodes = self._run.nodes
        mine = self.state()
        for key in ("version", "indicator", "n_symbols"):
            if key not in state or state[key].item() != mine[key].item():
                found = state[key].item() if key in state else "nothing"
                raise DataError(
                    f"{self.indicator.name}: the state has {key} {found!r}; "
                    f"this stream has {mine[key].item()!r}"
                )
        nodes.seen = int(state["seen"].item())
        for i, node in enumerate(nodes.members):
            node.state[:] = state[f"node_{i}"]
        return self

    def _as_block(self, array: Floats) -> Block:
        symbols = () if self.n_symbols is None else (self.n_symbols,)
        if array.ndim > len(symbols) + 1 or array.shape[array.ndim - len(symbols) :] != symbols:
            wanted = "() or (rows,)" if self.n_symbols is None else f"{symbols} or (rows, symbol)"
            raise DataError(
                f"{self.indicator.name}: a value of shape {array.shape}; this stream takes {wanted}"
            )
        n_rows = len(array) if array.ndim > len(symbols) else 1
        return array.reshape(n_rows, -1 if array.size else max(1, sum(symbols)))


def compute_all(
    indicators: Mapping[str, Indicator[Any]], columns: Mapping[str, npt.ArrayLike]
) -> dict[str, Any]:
    """Several indicators over the same columns in one walk; results by name.

    columns : input name -> array, all of one shape, `(time,)` or `(time, symbol)`. The inputs of a
        block of rows stay in the cache while every indicator takes its turn, and what several
        have in common is computed once: the results are those of one `compute` after another.
    """
    needed = {name for indicator in indicators.values() for name in indicator.inputs}
    missing = sorted(needed - set(columns))
    if missing:
        raise DataError(f"no column {', '.join(missing)}; there are {', '.join(sorted(columns))}")
    tables = {name: np.asarray(columns[name]) for name in sorted(needed)}
    shape = _one_shape(tables)
    results = {
        name: tuple(np.empty(shape) for _ in indicator.outputs)
        for name, indicator in indicators.items()
    }
    if 0 not in shape:
        flat = {name: table.reshape(len(table), -1) for name, table in tables.items()}
        targets = {
            name: tuple(array.reshape(len(array), -1) for array in arrays)
            for name, arrays in results.items()
        }
        n_symbols = next(iter(flat.values())).shape[1]
        with np.errstate(all="ignore"):
            for first in range(0, n_symbols, TILE_SYMBOLS):
                tile = range(first, min(first + TILE_SYMBOLS, n_symbols))
                _compute_tile(indicators, flat, targets, tile)
    return {name: indicators[name]._gathered(arrays) for name, arrays in results.items()}


def _compute_tile(
    indicators: Mapping[str, Indicator[Any]],
    tables: Mapping[str, npt.NDArray[Any]],
    targets: Mapping[str, Sequence[Floats]],
    tile: range,
) -> None:
    """Fill some symbols of the targets, (time, symbol); those that fold alike walk together."""
    n_times = len(next(iter(tables.values())))
    for fold, names in _groups(indicators, n_times, len(tile)).items():
        members = {name: indicators[name] for name in names}
        needed = sorted({column for member in members.values() for column in member.inputs})
        for part in fold.parts(n_times):
            _walk(
                members,
                [
                    {name: part.leads(tables[name]) for name in needed},
                    {name: part.body(tables[name]) for name in needed},
                ],
                {name: [part.body(array) for array in targets[name]] for name in names},
                tile,
            )


def _groups(
    indicators: Mapping[str, Indicator[Any]], n_times: int, n_symbols: int
) -> dict[Fold, list[str]]:
    """Names of the indicators that walk together: those that fold share a fold if there is one."""
    if n_times * n_symbols <= SHORT:
        return {UNFOLDED: list(indicators)}
    folds = {
        name: fold_of(_Run(indicator, 1).nodes, n_times, n_symbols)
        for name, indicator in indicators.items()
    }
    several = {fold for fold in folds.values() if fold.lanes > 1}
    common = one_fold(sorted(several), n_times, n_symbols) if len(several) > 1 else None
    groups: dict[Fold, list[str]] = {}
    for name, fold in folds.items():
        groups.setdefault(common if common and fold in several else fold, []).append(name)
    return groups


def _walk(
    indicators: Mapping[str, Indicator[Any]],
    pieces: Sequence[Mapping[str, npt.NDArray[Any]]],
    targets: Mapping[str, Sequence[npt.NDArray[Any]]],
    tile: range,
) -> None:
    """Take the pieces block after block, (lane, time, symbol); the last one fills the targets."""
    lanes = len(next(iter(pieces[-1].values())))
    n_values, shared = padded(lanes * len(tile)), Shared()
    runs = {name: _Run(indicator, n_values, shared) for name, indicator in indicators.items()}
    n_rows = max(1, BLOCK_VALUES // n_values)
    rooms = {name: Room(n_rows, lanes, tile) for name in pieces[-1]}
    for tables in pieces:
        n_times = next(iter(tables.values())).shape[1]
        for first in range(0, n_times, n_rows):
            last = min(first + n_rows, n_times)
            blocks = {name: rooms[name].take(table, first, last) for name, table in tables.items()}
            shared.begin(blocks)
            for name, indicator in indicators.items():
                results = runs[name].advance([blocks[column] for column in indicator.inputs])
                if tables is pieces[-1]:
                    for target, result in zip(targets[name], results, strict=True):
                        give(result, target, first, tile)


def _one_shape(tables: Mapping[str, npt.NDArray[Any]]) -> tuple[int, ...]:
    first = next(iter(tables))
    shape = tables[first].shape
    for name, table in tables.items():
        if table.shape != shape:
            raise DataError(
                f"{name} has shape {table.shape} and {first} {shape}; they must be the same"
            )
        if table.ndim not in (1, 2):
            raise DataError(f"{name} has {table.ndim} dimensions; (time,) or (time, symbol)")
        if table.dtype.kind not in "fiub":
            raise DataError(f"{name} has the type {table.dtype}; numbers are wanted")
    return shape


def _masked(block: Block) -> Block:
    from quant_assets.quant.indicators.nodes_kernel import mask_infinities

    mask_infinities(block)
    return block


def _plain(result: Floats) -> Any:
    return result.item() if result.ndim == 0 else result
