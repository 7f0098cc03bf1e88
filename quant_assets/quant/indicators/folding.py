"""Long series of few symbols are cut into lanes of time that are walked side by side.

A kernel is quick when the symbols of a row fill the vector registers. Where there are few of them,
pieces of time take their place: lane k holds the rows that follow those of lane k - 1. This is
done for indicators all of whose nodes look at a fixed number of rows. Each lane begins with a lead:
the rows before it, as many as any result of its first row can depend on. Lanes and leads are
multiples of every window that counts rows in spans, so that results are those of one walk, bit for
bit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import lcm

import numpy as np
import numpy.typing as npt

from quant_assets.quant.indicators.nodes import Nodes

WIDTH = 256  # values of a row: lanes times symbols
FEW = 32  # symbols; more of them fill the registers well enough without the copies of lanes
SHORT = 8_192  # values of a table that is done before its lanes would be laid out
LEADS = 8  # least rows of a lane, in leads: what the leads may cost


@dataclass(frozen=True)
class Part:
    """Rows `first` to `first + lanes * rows` as lanes of `rows` rows, each after `lead` others."""

    first: int
    lanes: int
    rows: int
    lead: int

    def body(self, table: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """The rows of a table (time, symbol) as a view (lane, rows, symbol)."""
        last = self.first + self.lanes * self.rows
        return table[self.first : last].reshape(self.lanes, self.rows, -1)

    def leads(self, table: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        """The rows before each lane, (lane, lead, symbol); NaN before the first row of all."""
        rows = np.full((self.lanes, self.lead, table.shape[1]), np.nan)
        for lane in range(self.lanes):
            last = self.first + lane * self.rows
            if last > 0:
                rows[lane] = table[last - self.lead : last]
        return rows


@dataclass(frozen=True, order=True)
class Fold:
    """Into how many lanes of how many rows; a single lane is no fold.

    `lead` and `rows` are multiples of `period`, the rows after which every ring is where it began.
    """

    lanes: int
    rows: int
    lead: int
    period: int = 1

    def parts(self, n_times: int) -> Iterator[Part]:
        """The lanes, and what remains behind them."""
        if self.lanes > 1:
            yield Part(0, self.lanes, self.rows, self.lead)
        done = self.lanes * self.rows if self.lanes > 1 else 0
        if done < n_times:
            yield Part(done, 1, n_times - done, self.lead if done else 0)


UNFOLDED = Fold(1, 0, 0)


def fold_of(nodes: Nodes, n_times: int, n_symbols: int) -> Fold:
    """How an indicator with these nodes walks over so many rows."""
    windows = [node.window for node in nodes.members]
    known = [window for window in windows if window is not None]
    if not known or len(known) < len(windows) or n_symbols > FEW:
        return UNFOLDED
    period = lcm(*(node.period for node in nodes.members))
    if period == 1:  # no ring: nothing that is walked row by row
        return UNFOLDED
    return _fold(sum(known), period, n_times, n_symbols)


def _fold(reach: int, period: int, n_times: int, n_symbols: int) -> Fold:
    """Lanes of whole periods, each led by the rows that its first results can depend on."""
    lead = -(-reach // period) * period
    lanes = min(WIDTH // n_symbols, n_times // max(1, LEADS * lead))
    rows = n_times // lanes // period * period if lanes > 1 else 0
    return Fold(lanes, rows, lead, period) if rows else UNFOLDED


def one_fold(folds: Sequence[Fold], n_times: int, n_symbols: int) -> Fold | None:
    """A fold that serves all of these as well; None where it would have fewer lanes than one."""
    period = lcm(*(fold.period for fold in folds))
    common = _fold(max(fold.lead for fold in folds), period, n_times, n_symbols)
    return common if common.lanes >= max(fold.lanes for fold in folds) else None
