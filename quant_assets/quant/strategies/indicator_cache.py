"""Indicator lines that several strategies of one run share."""

import hashlib
from collections import OrderedDict
from weakref import ref

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError
from quant_assets.quant.market.bar_panel import BarPanel

__all__ = ["IndicatorCache"]

Floats = npt.NDArray[np.float64]
DEFAULT_CACHE_BYTES = 512 * 2**20
TIMES = ("ts", "available_at")


class IndicatorCache:
    """Indicator lines by parameters and data, within one run: a sweep computes each of them once.

    The key is the indicator with its parameters and a digest of the columns that it reads, so a
    changed bar or parameter is another entry. The least recently used go when more than `max_bytes`
    are held. `hits` and `misses` count indicators.
    """

    def __init__(self, max_bytes: int = DEFAULT_CACHE_BYTES) -> None:
        if max_bytes <= 0:
            raise ConfigError(f"max_bytes is {max_bytes}; it must be above 0")
        self.max_bytes, self.hits, self.misses = max_bytes, 0, 0
        self._held: OrderedDict[tuple[str, str], dict[str, Floats]] = OrderedDict()
        self._bytes = 0
        self._digests: dict[int, tuple[ref[BarPanel], dict[str, str]]] = {}

    def find(self, source: str, inputs: tuple[str, ...], bars: BarPanel) -> dict[str, Floats]:
        """Lines of an indicator by output, empty when they are not held."""
        key = (source, self._digest(bars, inputs))
        found = self._held.get(key, {})
        if found:
            self._held.move_to_end(key)
            self.hits += 1
        else:
            self.misses += 1
        return found

    def keep(
        self, source: str, inputs: tuple[str, ...], bars: BarPanel, lines: dict[str, Floats]
    ) -> None:
        """Hold the lines of an indicator; they become read-only."""
        for array in lines.values():
            array.flags.writeable = False
        self._held[source, self._digest(bars, inputs)] = lines
        self._bytes += sum(array.nbytes for array in lines.values())
        while self._bytes > self.max_bytes and self._held:
            _, gone = self._held.popitem(last=False)
            self._bytes -= sum(array.nbytes for array in gone.values())

    def _digest(self, bars: BarPanel, inputs: tuple[str, ...]) -> str:
        known = self._digests.get(id(bars))
        if known is None or known[0]() is not bars:
            place = id(bars)
            known = (ref(bars, lambda _: self._digests.pop(place, None)), {})
            self._digests[place] = known
        for name in inputs:
            if name not in known[1]:
                values = getattr(bars, name) if name in TIMES else bars[name]
                content = np.ascontiguousarray(values)
                head = f"{content.shape}".encode()
                known[1][name] = hashlib.blake2b(content.tobytes() + head).hexdigest()
        return "|".join(known[1][name] for name in inputs)
