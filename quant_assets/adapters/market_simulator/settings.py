"""What a simulated market can be told: assets, their volatilities, and the shocks planted in it."""

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from quant_assets.core.venues import Duration, Fraction, Strict

MarketKind = Literal["spot", "perpetual"]
Rate = Annotated[float, Field(ge=0, le=30)]


class Asset(Strict):
    """One asset; its returns are `market_beta` x the market's plus its own.

    Volatilities are annual, `annual_drift` is of the log price, `daily_quote_volume` is that of the
    perpetual. `first` and `last` are the days on which it is listed, both included; null is the
    whole history. Before and after, it has no rows.
    """

    base: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,20}$")]
    first_price: Annotated[float, Field(gt=0)]
    market_beta: Annotated[float, Field(ge=-5, le=5)] = 1.0
    own_volatility: Annotated[float, Field(gt=0, le=5)] = 0.4
    annual_drift: Annotated[float, Field(ge=-5, le=5)] = 0.0
    daily_quote_volume: Annotated[float, Field(gt=0)] = 1e8
    markets: Annotated[tuple[MarketKind, ...], Field(min_length=1)] = ("spot", "perpetual")
    first: date | None = None
    last: date | None = None

    @model_validator(mode="after")
    def _listed(self) -> "Asset":
        if self.first is not None and self.last is not None and self.last < self.first:
            raise ValueError(f"{self.base}: last {self.last} lies before first {self.first}")
        return self


class ShockSettings(Strict):
    """How often the planted shocks come (at most one of a kind a day), and what they do.

    A jump moves the price by `jump_size` typical daily moves (times 0.75 to 1.25) inside one bar;
    the share `reversal` of it comes back afterwards. A burst multiplies volatility by
    `burst_size`, decaying; a jump is followed by half a burst.
    """

    market_jumps_per_month: Rate = 0.5
    asset_jumps_per_month: Rate = 1.5
    bursts_per_month: Rate = 2.0
    jump_size: Annotated[float, Field(ge=0, le=10)] = 1.5
    reversal: Fraction = 0.3
    reversal_half_life: Duration = timedelta(hours=1)
    burst_size: Annotated[float, Field(ge=1, le=10)] = 3.0
    burst_half_life: Duration = timedelta(hours=2)


class OrderBookSettings(Strict):
    """How often the books of the perpetuals are looked at, and how deep.

    `interval` is a multiple of the venue's bar length; null: an hour, or the first multiple after
    it. Every 5 minutes instead of every hour makes twelve times as many rows: a month of five
    perpetuals has 18,000 rows as it is.
    """

    interval: Duration | None = None
    levels: Annotated[int, Field(ge=1, le=50)] = 5

    def every(self, bar_length: timedelta) -> timedelta:
        """Time between two snapshots of a venue with bars of this length."""
        hour = timedelta(hours=1)
        return self.interval or -(-hour // bar_length) * bar_length


DEFAULT_ASSETS = (
    Asset(base="BTC", first_price=42_000, own_volatility=0.15, daily_quote_volume=2e10),
    Asset(base="ETH", first_price=2_300, own_volatility=0.30, daily_quote_volume=1e10),
    Asset(base="SOL", first_price=100, own_volatility=0.60, daily_quote_volume=3e9),
    Asset(base="XRP", first_price=0.62, own_volatility=0.50, daily_quote_volume=1e9),
)


class SimulatorSettings(Strict):
    """`provider.settings` of a simulated venue. Equal settings and history give equal bytes.

    `spot_volume_share`: what an asset's spot trades, as a fraction of its perpetual's volume.
    """

    seed: Annotated[int, Field(ge=0)] = 7
    quote: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,20}$")] = "USDT"
    market_volatility: Annotated[float, Field(gt=0, le=5)] = 0.45
    market_drift: Annotated[float, Field(ge=-5, le=5)] = 0.0
    spot_volume_share: Annotated[float, Field(gt=0, le=100)] = 0.4
    shocks: ShockSettings = ShockSettings()
    order_book: OrderBookSettings = OrderBookSettings()
    assets: Annotated[tuple[Asset, ...], Field(min_length=1)] = DEFAULT_ASSETS

    @model_validator(mode="after")
    def _unique(self) -> "SimulatorSettings":
        bases = [asset.base for asset in self.assets]
        repeated = sorted({base for base in bases if bases.count(base) > 1})
        if repeated:
            raise ValueError(f"assets {repeated} are listed more than once")
        return self
