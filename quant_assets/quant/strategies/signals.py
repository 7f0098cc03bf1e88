"""What a strategy decides: entries, exits or target weights, per bar and symbol."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError

__all__ = ["Signals"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
FLAGS = ("entry_long", "exit_long", "entry_short", "exit_short")


@dataclass(frozen=True, kw_only=True)
class Signals:
    """Decisions at the close of each bar, arrays `(time, symbol)`; of one bar: `(symbol,)`.

    entry_long, entry_short : open a position where there is none; against one that stands on the
        other side, it is closed and the new one opened (both orders fill together).
    exit_long, exit_short : close what is held on that side. Exit and entry of one side on one bar:
        the exit wins.
    target : weight of equity to hold, signed; NaN: no decision, what is held stays.
    limit, stop : prices at which the entry is placed as a limit or a stop order; NaN: at market.
    strength : confidence of the entry, 0 to 1: the order in which limits are used up, and a column
        of the trades; NaN counts as 1.

    None stands for: no such decision. A strategy gives flags or targets, not both. Raises
    `DataError` for what is no array of its type and shape, and for infinite weights.
    """

    entry_long: Bools | None = None
    exit_long: Bools | None = None
    entry_short: Bools | None = None
    exit_short: Bools | None = None
    target: Floats | None = None
    limit: Floats | None = None
    stop: Floats | None = None
    strength: Floats | None = None

    def __post_init__(self) -> None:
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        given = {name: values for name, values in given.items() if values is not None}
        for name, values in given.items():
            if not isinstance(values, np.ndarray):
                raise DataError(
                    f"signal {name} is a {type(values).__name__}; give a numpy array, (time, "
                    "symbol) or, of one bar, (symbol,)"
                )
        shapes = {name: values.shape for name, values in given.items()}
        if len(set(shapes.values())) > 1:
            raise DataError(f"signals have different shapes: {shapes}")
        for name, values in given.items():
            wanted = np.bool_ if name in FLAGS else np.float64
            if values.dtype != wanted:
                raise DataError(f"signal {name} is {values.dtype}; it must be {np.dtype(wanted)}")
        if self.target is not None and np.isinf(self.target).any():
            raise DataError("signal target has infinite weights; NaN says that nothing is decided")
        if not given:
            raise DataError("signals are empty: give entries and exits, or targets")
        if self.target is None and not any(name in given for name in FLAGS):
            raise DataError(f"signals are {sorted(given)} alone: give entries or targets")
        if self.target is not None and any(name in given for name in FLAGS):
            raise DataError("signals have entries or exits and targets; give one kind")

    @classmethod
    def row(  # noqa: PLR0913  # the fields
        cls,
        *,
        entry_long: Bools | None = None,
        exit_long: Bools | None = None,
        entry_short: Bools | None = None,
        exit_short: Bools | None = None,
        target: Floats | None = None,
        limit: Floats | None = None,
        stop: Floats | None = None,
        strength: Floats | None = None,
    ) -> Self:
        """Decisions of one bar, arrays `(symbol,)`, for `on_bar`: the same object, made faster.

        Nothing is checked here: a backtest checks the shape and type of what it takes.
        """
        made = object.__new__(cls)
        made.__dict__.update(
            entry_long=entry_long,
            exit_long=exit_long,
            entry_short=entry_short,
            exit_short=exit_short,
            target=target,
            limit=limit,
            stop=stop,
            strength=strength,
        )
        return made

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of all its arrays."""
        return next(
            values.shape
            for values in (getattr(self, f.name) for f in fields(self))
            if values is not None
        )
