"""Rules, stages and sources that tests of composed strategies share."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.quant.indicators.averages import Sma
from quant_assets.quant.strategies import (
    BarStrategy,
    Line,
    Middleware,
    Order,
    RowMiddleware,
    RuleSignals,
    RuleStrategy,
    Signals,
    StrategyBuilder,
    VectorStrategy,
)
from quant_assets.quant.strategies.regimes import MovingAverageTrend
from quant_assets.quant.strategies.rules import (
    BbLowerTouch,
    BbUpperTouch,
    MaCrossDown,
    MaCrossUp,
)
from quant_assets.quant.strategies.signals import FLAGS

UP, DOWN = MaCrossUp(fast=3, slow=8), MaCrossDown(fast=3, slow=8)
TREND = MovingAverageTrend(fast=5, slow=20, confirm=3)


@dataclass(frozen=True, kw_only=True)
class BollingerMeanReversion(RuleStrategy):
    name: ClassVar[str] = "bollinger_mean_reversion"
    period: int = 20

    def rules(self):
        lower, upper = BbLowerTouch(period=self.period), BbUpperTouch(period=self.period)
        return RuleSignals(entry_long=lower, exit_long=upper)


@dataclass(frozen=True, kw_only=True)
class Quiet(Middleware):
    """No entry on a bar with less volume than the average up to the bar before."""

    name: ClassVar[str] = "quiet"

    def lines(self):
        return (Line(Sma(4).on("volume")),)

    def apply(self, proposal, rows):
        below = rows["volume"] < rows.before(self.lines()[0], 1)
        return proposal.without_entries(below, reason="little volume")


@dataclass(frozen=True, kw_only=True)
class OnlyFirst(RowMiddleware):
    """Plain Python, bar by bar: entries in the first symbol only, none in the first 60 bars."""

    name: ClassVar[str] = "only_first"

    def on_row(self, proposal, window, account):
        if len(window) <= 60:
            return proposal.without_entries(True, reason="too early")
        return proposal.without_entries(np.arange(len(account.symbols)) > 0, reason="not the first")


@dataclass(frozen=True, kw_only=True)
class Weights(VectorStrategy):
    name: ClassVar[str] = "weights"

    def signals(self, bars):
        target = np.sign(bars.close - 100.0) * 0.5
        target[::3] = 0.0
        target[1::3] = np.nan
        return Signals(target=target)


@dataclass(frozen=True, kw_only=True)
class BarOnly(BarStrategy):
    name: ClassVar[str] = "bar_only"
    answer: object = None

    def on_bar(self, window, account):
        if len(window) % 2:
            return None
        return Signals(entry_long=window["close", -1] > window["open", -1])


@dataclass(frozen=True, kw_only=True)
class Places(BarStrategy):
    name: ClassVar[str] = "places"

    def on_bar(self, window, account):
        return [Order(symbol=window.symbols[0], quantity=1.0)]


def built(**parts):
    builder = StrategyBuilder("built").with_signals(entry_long=UP, exit_long=DOWN)
    for name, value in parts.items():
        builder = getattr(builder, f"with_{name}")(value)
    return builder.build()


def same(left, right):
    for name in (*FLAGS, "target", "limit", "stop", "strength"):
        mine, its = getattr(left, name), getattr(right, name)
        assert (mine is None) == (its is None), name
        if mine is not None:
            np.testing.assert_array_equal(mine, its, err_msg=name)
