"""Leaks that few cuts would miss: on few bars, of one symbol, late, or at the end of the data."""

from dataclasses import dataclass

import numpy as np

from quant_assets.quant.strategies.signals import Signals
from quant_assets_tests.quant.leaks.planted import Planted, entries, frame, weights

RARE = []


def rare(kind):
    """Take a class into the corpus; its docstring is the reason."""
    RARE.append(kind)
    return kind


def hours(bars):
    """Hours since 1970 of each bar."""
    return bars.ts.astype("datetime64[h]").astype(int)


@rare
class OneBarInFifty(Planted):
    """An honest crossing, but every fiftieth bar enters by the next close."""

    def signals(self, bars):
        close = frame(bars.close)
        entry = (close > close.rolling(10).mean()).to_numpy(copy=True)
        ahead = (close.shift(-1) > close).to_numpy(copy=True)
        fiftieth = hours(bars) % 50 == 0
        entry[fiftieth] = ahead[fiftieth]
        return Signals(entry_long=entry, exit_long=~entry)


@rare
class RebalanceByTheNextBar(Planted):
    """Weights are set once in a hundred bars, by the bar that follows, and held."""

    def signals(self, bars):
        close = frame(bars.close)
        rises = np.where(close.shift(-1) > close, 0.2, 0.1)
        rises[hours(bars) % 100 != 0] = np.nan
        return weights(frame(rises).ffill())


@rare
class EveryReach(Planted):
    """Looks 1 to 40 bars ahead, another number on each bar."""

    def signals(self, bars):
        rows = np.arange(len(bars))
        ahead = np.minimum(rows + 1 + rows % 40, len(rows) - 1)
        return entries(bars.close[ahead] > 1.01 * bars.close)


@rare
class LastRowsOnly(Planted):
    """Honest but for the last three rows, which know the last of all."""

    def signals(self, bars):
        close = frame(bars.close)
        entry = (close > close.rolling(10).mean()).to_numpy(copy=True)
        entry[-3:] = bars.close[-1] > bars.open[-1]
        return Signals(entry_long=entry, exit_long=~entry)


@rare
class ClippedByAll(Planted):
    """Moves are clipped at their 99 % quantile over all rows: one value in a hundred changes."""

    def signals(self, bars):
        moves = frame(bars.close).pct_change(fill_method=None).fillna(0.0)
        return weights(moves.clip(upper=moves.quantile(0.99), axis=1).rolling(3).mean())


@rare
class OneSymbolOnly(Planted):
    """One symbol of four knows its next bar."""

    def signals(self, bars):
        close = frame(bars.close)
        entry = (close > close.rolling(10).mean()).to_numpy(copy=True)
        entry[:, 2] = (close.shift(-1) > close).to_numpy()[:, 2]
        return Signals(entry_long=entry, exit_long=~entry)


@rare
class NextVolume(Planted):
    """Prices are honest; the volume is that of the next bar."""

    def signals(self, bars):
        close, volume = frame(bars.close), frame(bars.volume)
        busy = volume.shift(-1) > volume.rolling(20).mean()
        return entries((close > close.rolling(10).mean()) & busy)


@rare
class OnlyFromSomeDayOn(Planted):
    """Honest for a week; from then on it knows the next bar."""

    def signals(self, bars):
        close = frame(bars.close)
        entry = (close > close.rolling(10).mean()).to_numpy(copy=True)
        late = bars.ts >= np.datetime64("2024-01-08")
        return Signals(entry_long=np.where(late[:, None], close.shift(-1) > close, entry))


@rare
class SlowAndAhead(Planted):
    """Averages that never quite forget, and one entry in twenty that knows the next bar."""

    def signals(self, bars):
        close = frame(bars.close)
        entry = (close.ewm(span=40).mean() > close.expanding().mean()).to_numpy(copy=True)
        twentieth = hours(bars) % 20 == 0
        entry[twentieth] = (close.shift(-1) > close).to_numpy()[twentieth]
        return Signals(entry_long=entry, exit_long=~entry)


@dataclass(frozen=True, kw_only=True)
class Reach(Planted):
    """Knows whether the price will be higher after `ahead` bars."""

    ahead: int = 1

    def signals(self, bars):
        close = frame(bars.close)
        return entries(close.shift(-self.ahead) > close)
