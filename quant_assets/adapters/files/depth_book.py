"""An order book kept up to date by the differences that an exchange sends.

Follows the rules that Binance publishes for a local book: differences that end before the snapshot
are dropped, the first one applied must span it, and each following one must continue the last.
"""

import heapq
import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

MAX_WAITING = 100_000
Quote = tuple[float, float]


@dataclass(frozen=True)
class Difference:
    """Quantities that changed, 0 for a level that is gone.

    `first` and `last` are update ids; `previous` is the last id of the difference before, None
    where the exchange does not say (then `first` continues it by one).
    """

    first: int
    last: int
    previous: int | None
    bids: Sequence[Quote]
    asks: Sequence[Quote]


class DepthBook:
    """Bids and asks by price; it is `whole` from a snapshot to the next missing difference."""

    def __init__(self) -> None:
        self.whole = False
        self._fresh = True
        self._last = 0
        self._bids: dict[float, float] = {}
        self._asks: dict[float, float] = {}
        self._waiting: deque[Difference] = deque(maxlen=MAX_WAITING)

    def restart(self, last: int, bids: Iterable[Quote], asks: Iterable[Quote]) -> None:
        """Begin anew from a snapshot with update id `last`, and catch up with what had come."""
        self._bids, self._asks, self._last = dict(bids), dict(asks), last
        self.whole = self._fresh = True
        waiting, self._waiting = self._waiting, deque(maxlen=MAX_WAITING)
        for difference in waiting:
            self.apply(difference)

    def apply(self, difference: Difference) -> bool:
        """Take the next difference; False when one is missing before it, which ends `whole`."""
        if not self.whole:
            self._waiting.append(difference)
            return True
        if difference.last <= self._last:
            return True
        if not self._continued_by(difference):
            self.whole = False
            self._waiting.append(difference)
            return False
        self._fresh = False
        _update(self._bids, difference.bids)
        _update(self._asks, difference.asks)
        self._last = difference.last
        return True

    def _continued_by(self, difference: Difference) -> bool:
        expected = self._last + 1
        if self._fresh:
            return difference.first <= expected
        if difference.previous is None:
            return difference.first == expected
        return difference.previous == self._last

    def top(self, levels: int) -> list[tuple[Quote, Quote]]:
        """Best bids with best asks, best first; NaN where a side has no such level."""
        bids = [(price, self._bids[price]) for price in heapq.nlargest(levels, self._bids)]
        asks = [(price, self._asks[price]) for price in heapq.nsmallest(levels, self._asks)]
        return list(zip_longest(bids, asks, fillvalue=(math.nan, math.nan)))


def _update(side: dict[float, float], changes: Sequence[Quote]) -> None:
    for price, quantity in changes:
        if quantity > 0:
            side[price] = quantity
        else:
            side.pop(price, None)
