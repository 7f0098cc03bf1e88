"""Volume-weighted average price, `sum(hlc3 volume) / sum(volume)`, from a named anchor.

A row without price or volume has no value; within a session or a running total it adds nothing.
NaN where nothing has traded since the anchor.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.quant.indicators.base import Floats, Indicator, Program, rows
from quant_assets.quant.indicators.nodes import Block, Nodes, together
from quant_assets.quant.indicators.volume import HLCV, running_total

__all__ = ["CumulativeVwap", "RollingVwap", "SessionVwap", "vwap"]


@dataclass(frozen=True)
class RollingVwap(Indicator[Floats]):
    """Over the last n rows; NaN while one of them is unknown."""

    n: int = rows(20)
    inputs: ClassVar[tuple[str, ...]] = HLCV
    function: ClassVar[str] = "vwap"
    undefined: ClassVar[str] = "nothing traded"

    @property
    def lookback(self) -> int:
        """See the base class."""
        return self.n - 1

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        top, bottom = nodes.sum(self.n), nodes.sum(self.n)

        def step(high: Block, low: Block, close: Block, volume: Block) -> Block:
            return top((high + low + close) / 3.0 * volume) / bottom(volume)

        return step


@dataclass(frozen=True)
class CumulativeVwap(Indicator[Floats]):
    """Since the first row."""

    inputs: ClassVar[tuple[str, ...]] = HLCV
    function: ClassVar[str] = "vwap"
    undefined: ClassVar[str] = "nothing traded"
    skips_missing: ClassVar[bool] = True

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 0

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        top, bottom = running_total(nodes), running_total(nodes)

        def step(high: Block, low: Block, close: Block, volume: Block) -> Block:
            flow, amount = together((high + low + close) / 3.0 * volume, volume)
            return top(flow) / bottom(amount)

        return step


@dataclass(frozen=True)
class SessionVwap(Indicator[Floats]):
    """Since `session`, a number that is the same for all rows of a session, last changed."""

    inputs: ClassVar[tuple[str, ...]] = (*HLCV, "session")
    function: ClassVar[str] = "vwap"
    undefined: ClassVar[str] = "nothing traded"
    skips_missing: ClassVar[bool] = True

    @property
    def lookback(self) -> int:
        """See the base class."""
        return 0

    def program(self, nodes: Nodes) -> Program:
        """See the base class."""
        from quant_assets.quant.indicators.volume_kernel import session_average

        state = nodes.zeros(3)
        state[0] = np.nan
        average = nodes.add(session_average, state)

        def step(high: Block, low: Block, close: Block, volume: Block, session: Block) -> Block:
            price: Block = average((high + low + close) / 3.0, volume, session)
            return price

        return step


def vwap(
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    volume: npt.ArrayLike,
    *,
    anchor: str | int,
    session: npt.ArrayLike | None = None,
) -> Floats:
    """Volume-weighted average price since an anchor.

    anchor : "cumulative", since the first row; a number of rows, over the last that many;
        "session", since `session` last changed.
    session : (time,) or like the prices: a number for each row, the same within a session, for
        example days since 1970 in the venue's time zone. Only for anchor "session".
    """
    bars = (high, low, close, volume)
    if (anchor == "session") != (session is not None):
        raise ConfigError(f"vwap: anchor {anchor!r}; session numbers go with anchor 'session' only")
    if session is not None:
        labels, shape = np.asarray(session), np.shape(close)
        if labels.ndim == 1 and len(shape) == 2 and len(labels) == shape[0]:
            labels = np.broadcast_to(labels[:, None], shape)
        return SessionVwap().compute(*bars, labels)
    if anchor == "cumulative":
        return CumulativeVwap().compute(*bars)
    if isinstance(anchor, str):
        raise ConfigError(f"vwap: no anchor {anchor!r}; 'cumulative', 'session' or a row count")
    return RollingVwap(anchor).compute(*bars)
