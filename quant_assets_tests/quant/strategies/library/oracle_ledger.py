"""A plain account, bar by bar in Python: no costs, decided at the close, filled at the next open.

Written from the conventions, without the kernel: an entry gets its part of equity at the prices of
that moment; exits come before entries; a stop and a target are met
inside the bar, the stop first, at the open where the bar opens beyond them.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np


class Trade(NamedTuple):
    symbol: str
    side: int
    entry: int
    exit: int
    entry_price: float
    exit_price: float
    shares: float


@dataclass
class Position:
    shares: float
    side: int
    entry: int
    price: float
    stop: float
    target: float
    leaves: float


@dataclass
class Plain:
    """`flags` by name `(time, symbol)`; `sizes` parts of equity; distances of stop and target.

    There is no limit of what may be held.
    """

    bars: object
    flags: dict
    sizes: np.ndarray
    warm_up: int = 0
    stop: np.ndarray | None = None
    target: np.ndarray | None = None
    hold: int | None = None
    entry_stop: np.ndarray | None = None
    cash: float = 100_000.0
    held: dict = field(default_factory=dict)
    trades: list = field(default_factory=list)
    equity: list = field(default_factory=list)

    def run(self):
        waiting, leaving = {}, set()
        last = np.full(len(self.bars.symbols), np.nan)
        for t in range(len(self.bars)):
            opened = self.bars.open[t]
            last = np.where(np.isnan(opened), last, opened)
            for s in sorted(leaving & set(self.held)):
                self.close(s, t, opened[s])
            for s in sorted(self.held):
                self.protect(s, t, opened[s], opened[s], opened[s])
            for s, (side, decided) in sorted(waiting.items()):
                level = self.entry_stop[decided, s] if self.entry_stop is not None else opened[s]
                if self.entry_stop is None or opened[s] >= level:
                    self.open(s, t, opened[s], (side, decided), last)
            for s in sorted(self.held):
                self.protect(s, t, opened[s], self.bars.high[t, s], self.bars.low[t, s])
            for s, (side, decided) in sorted(waiting.items()):
                if self.entry_stop is not None and s not in self.held:
                    level = self.entry_stop[decided, s]
                    if opened[s] < level <= self.bars.high[t, s]:
                        self.open(s, t, level, (side, decided), last)
            last = np.where(np.isnan(self.bars.close[t]), last, self.bars.close[t])
            self.equity.append(self.worth(last))
            waiting, leaving = self.decide(t) if t >= self.warm_up else ({}, set())
        return self

    def worth(self, prices):
        return self.cash + sum(p.side * p.shares * prices[s] for s, p in self.held.items())

    def open(self, s, t, price, order, last):
        side, decided = order
        money = self.sizes[decided % len(self.sizes), s] * self.worth(last)
        if s in self.held or not money > 0.0:
            return
        shares, last[s] = money / price, price
        self.cash -= side * shares * price
        distances = [
            np.nan if array is None else array[decided, s] for array in (self.stop, self.target)
        ]
        leaves = np.inf if self.hold is None else t + self.hold - 1
        stop, target = price - side * distances[0], price + side * distances[1]
        self.held[s] = Position(shares, side, t, price, stop, target, leaves)

    def close(self, s, t, price):
        p = self.held.pop(s)
        self.cash += p.side * p.shares * price
        self.trades.append(
            Trade(self.bars.symbols[s], p.side, p.entry, t, p.price, price, p.shares)
        )

    def protect(self, s, t, opened, high, low):
        p = self.held[s]
        worst, best = (low, high) if p.side > 0 else (high, low)
        if p.side * (worst - p.stop) <= 0.0:
            beyond = p.side * (opened - p.stop) <= 0.0
            self.close(s, t, opened if beyond else p.stop)
        elif p.side * (best - p.target) >= 0.0:
            beyond = p.side * (opened - p.target) >= 0.0
            self.close(s, t, opened if beyond else p.target)

    def decide(self, t):
        waiting, leaving = {}, set()
        for s in range(len(self.bars.symbols)):
            said = {name: bool(array[t, s]) for name, array in self.flags.items()}
            long = said["entry_long"] and not said.get("exit_long")
            short = said.get("entry_short", False) and not said.get("exit_short")
            p = self.held.get(s)
            if p is not None:
                name = "exit_long" if p.side > 0 else "exit_short"
                if said.get(name) or t >= p.leaves:
                    leaving.add(s)
            if long != short and (p is None or p.side != (1 if long else -1)):
                waiting[s] = (1 if long else -1, t)
                leaving |= {s} if p is not None else set()
        return waiting, leaving


def walk_targets(bars, target, warm_up):
    """Equity at each close of an account that goes to its target weights at the next open."""
    cash, shares, equity = 100_000.0, np.zeros(len(bars.symbols)), []
    for t in range(len(bars)):
        if t > warm_up:
            wanted = target[t - 1]
            worth = cash + (shares * bars.open[t]).sum()
            aim = np.where(np.isnan(wanted), shares, wanted * worth / bars.open[t])
            cash -= ((aim - shares) * bars.open[t]).sum()
            shares = aim
        equity.append(cash + (shares * bars.close[t]).sum())
    return np.array(equity)
