"""Orders as a bar-by-bar strategy places them."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal, NamedTuple, get_args

from quant_assets.core.errors import ConfigError

__all__ = ["Cancel", "OpenOrder", "Order"]

Kind = Literal["market", "limit", "stop", "stop_limit", "trailing_stop"]
TimeInForce = Literal["gtc", "day", "ioc", "gtd"]
WORDS = {"kind": frozenset(get_args(Kind)), "time_in_force": frozenset(get_args(TimeInForce))}
PRICES = ("limit", "stop", "take_profit", "stop_loss", "trail")


@dataclass(frozen=True, kw_only=True)
class Order:
    """One order, placed at the close of the current bar; it can fill from the next bar on.

    quantity : signed units; buy above 0, sell below. limit, stop : prices, as `kind` needs them.
    trail : distance of a trailing stop, in price units (`trail_fraction` False) or as a fraction.
    time_in_force : `gtc` until cancelled; `day` to the end of the day of its first bar, that of the
        session where the bars know it, else of UTC; `ioc` what does not fill on its first bar is
        cancelled; `gtd` for `bars` bars.
    take_profit, stop_loss : prices of the bracket that its fill brings to life; they cancel each
        other. group : orders of one group cancel each other when one fills (OCO).
    reduce_only : never opens or turns a position. tag : shown in orders, fills and trades.

    Raises `ConfigError` for an unknown word, a parameter that its kind lacks or does not take, a
    quantity of 0 or without end, and prices or distances that are not finite and above 0.
    """

    symbol: str
    quantity: float
    kind: Kind = "market"
    limit: float | None = None
    stop: float | None = None
    trail: float | None = None
    trail_fraction: bool = False
    time_in_force: TimeInForce = "gtc"
    bars: int | None = None
    take_profit: float | None = None
    stop_loss: float | None = None
    group: str | None = None
    reduce_only: bool = False
    tag: str = ""

    def __post_init__(self) -> None:
        for name, words in WORDS.items():
            if getattr(self, name) not in words:
                raise ConfigError(f"{name} {getattr(self, name)!r} is not one of {sorted(words)}")
        needs = {
            "limit": self.kind in {"limit", "stop_limit"},
            "stop": self.kind in {"stop", "stop_limit"},
            "trail": self.kind == "trailing_stop",
            "bars": self.time_in_force == "gtd",
        }
        for name, needed in needs.items():
            if needed != (getattr(self, name) is not None):
                word = "needs" if needed else "does not take"
                raise ConfigError(f"a {self.kind} {self.time_in_force} order {word} {name}")
        if not _is_number(self.quantity) or self.quantity == 0.0:
            raise ConfigError(
                f"order for {self.symbol}: quantity is {self.quantity!r}; it must be a number of "
                "units, not 0"
            )
        for name in PRICES:
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and value > 0.0):
                raise ConfigError(
                    f"order for {self.symbol}: {name} is {value!r}; it must be a number above 0"
                )
        bars = self.bars
        if bars is not None and not (_is_number(bars) and bars == int(bars) and bars >= 1):
            raise ConfigError(
                f"order for {self.symbol}: bars is {bars!r}; it must be a whole number, at least 1"
            )
        if self.trail_fraction and self.trail is not None and self.trail >= 1.0:
            raise ConfigError(
                f"order for {self.symbol}: trail is {self.trail}; a fraction must be below 1"
            )


def _is_number(value: object) -> bool:
    """Whether it is a finite number, of Python or numpy; text is none."""
    try:
        return isfinite(value)  # type: ignore[arg-type]  # asked here
    except TypeError:
        return False


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Cancels open orders at the close of the current bar, before the bar's new orders.

    tag, group, symbol : orders that have all that is given; nothing given: all open orders. ""
        as the tag: orders without one.
    part : `all`, or only `orders` or `brackets`. The bracket of an order has its tag and, for a
        cancel, its group, also when the order is filled and gone. A cancelled order that was filled
        in part takes its bracket along, unless part is `orders`: then it goes on to protect what
        was filled.

    Entries and exits of signals and targets are cancelled too; not what closes a position by a rule
    of the account: halts, time stops, met stops that wait for volume. What fills before a cancel
    becomes known (latency, late bars) is filled. A cancel that names nothing does nothing.
    """

    tag: str | None = None
    group: str | None = None
    symbol: str | None = None
    part: Literal["all", "orders", "brackets"] = "all"

    def __post_init__(self) -> None:
        if self.part not in {"all", "orders", "brackets"}:
            raise ConfigError(f"part {self.part!r} of a cancel is not all, orders or brackets")


class OpenOrder(NamedTuple):
    """An order that waits, as `Account.open_orders` shows it.

    quantity : signed units that are not filled yet, NaN for one that is sized when it fills.
    limit, stop : prices, NaN where its kind has none; the stop of a trailing stop is where it
        stands now. reason : why it is there: `order`, `entry`, `target_weight`, `stop_loss` or
        `take_profit` of a bracket, `exit_signal`, …
    """

    symbol: str
    quantity: float
    kind: Kind
    limit: float
    stop: float
    tag: str
    reason: str
