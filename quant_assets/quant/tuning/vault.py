"""The last months, sealed: a strategy is made without them, and every look at them is counted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.hashing import digest
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel

__all__ = ["HoldOutVault", "Opening", "OpeningLog", "seal"]


class Opening(NamedTuple):
    """One look at sealed bars: which vault, for which strategy (its hash), and why.

    sealed_from, sealed_to : the instants between which the bars were sealed, as text.
    """

    vault: str
    strategy: str
    reason: str
    sealed_from: str
    sealed_to: str


class OpeningLog(Protocol):
    """Where openings are written down before anything is shown; it only grows."""

    def openings(self, vault: str) -> Sequence[Opening]:
        """All openings of a vault, the oldest first."""
        ...

    def add(self, opening: Opening) -> int:
        """Write one down; the number of openings of its vault, this one included."""
        ...


@dataclass(frozen=True)
class HoldOutVault:
    """Sealed bars; `open` shows them once more.

    name : SHA-256 of symbols and bar length. When time goes on and later months are sealed, it is
    the same vault: looks at any of its months add up.
    """

    name: str
    first: np.datetime64
    n_visible: int
    _bars: BarPanel
    _log: OpeningLog

    def __repr__(self) -> str:
        return (
            f"HoldOutVault({self.name[:8]}, sealed from {self.first}, opened {self.opened} times)"
        )

    @property
    def opened(self) -> int:
        """How often it was opened."""
        return len(self._log.openings(self.name))

    @property
    def openings(self) -> tuple[Opening, ...]:
        """Every look so far."""
        return tuple(self._log.openings(self.name))

    def open(self, *, strategy: str, reason: str) -> "Opened":
        """All bars, the sealed ones included; the look is logged first.

        strategy : its `strategy_hash`. A first look is a test; every later one is a choice among
        so many, and `Opened.n_looks` says of how many. Without a reason nothing is opened.
        """
        if not reason.strip() or not strategy.strip():
            raise ConfigError("opening a vault needs the strategy's hash and a reason in words")
        sealed = (str(self.first), str(self._bars.ts[-1]))
        looks = self._log.add(Opening(self.name, strategy, reason, *sealed))
        return Opened(self._bars, self.n_visible, looks)


class Opened(NamedTuple):
    """All bars, the first sealed one in row `first`, and looks at them, this one included."""

    bars: BarPanel
    first: int
    n_looks: int

    def level(self, familywise: float = 0.05) -> float:
        """Significance that a test of this look must reach: Sidak's, over all looks.

        `1 - (1 - familywise)^(1 / n_looks)`.
        """
        if not 0.0 < familywise < 1.0:
            raise ConfigError(f"familywise {familywise} must lie between 0 and 1")
        return float(-np.expm1(np.log1p(-familywise) / self.n_looks))


def seal(bars: BarPanel, log: OpeningLog, *, months: int = 12) -> tuple[BarPanel, HoldOutVault]:
    """The bars before the last `months` calendar months, and the vault that holds the rest.

    The sealed part begins with a calendar month (UTC): so many whole ones before the instant at
    which the last bar ends, and what there is of the month after them. A bar that became known in
    the sealed part is sealed too.

    Raises
    ------
    DataError
        Fewer than two bars would stay visible.
    """
    if months < 1:
        raise ConfigError(f"months {months} must be at least 1")
    if len(bars) == 0:
        raise DataError("the bars are empty: there is nothing to seal")
    ends = bars.ts + np.timedelta64(bars.bar_length).astype("timedelta64[us]")
    first_after = np.datetime64(ends[-1], "M")  # the month that the last bar reaches into, or ends
    first = (first_after - months).astype("datetime64[us]")
    known = np.maximum.accumulate(np.maximum(ends, bars.available_at))
    visible = int(np.searchsorted(known, first, side="right"))
    if visible < 2:
        raise DataError(
            f"{months} sealed months leave {visible} of {len(bars)} bars: they begin at {first}"
        )
    name = digest([bars.symbols, bars.bar_length.total_seconds()])
    vault = HoldOutVault(name, first, visible, bars, log)
    return _copied(bars.rows(slice(0, visible))), vault


def _copied(bars: BarPanel) -> BarPanel:
    """The same bars in memory of their own: no `.base` of an array leads to sealed rows."""
    prices = {name: bars[name].copy() for name in FIELDS}
    copied = BarPanel.from_arrays(
        bars.ts.copy(),
        bars.symbols,
        bars.bar_length,
        available_at=bars.available_at.copy(),
        extras={name: values.copy() for name, values in bars.extras.items()},
        **prices,
    )
    if bars.universe is None:
        return copied
    return copied.with_universe(replace(bars.universe, members=bars.members.copy()))
