"""What a venue is: strict, frozen models of one venue YAML file.

The loader that reads the file lives in `quant_assets.adapters.venues`; here are only meanings.
Times are UTC, fees are basis points (`*_bps`) because this is configuration, fractions are 0..1.
"""

import re
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(value: Any) -> Any:
    """`5m`, `1h`, `1d`, `90s` as a timedelta; anything else is left to pydantic."""
    match = re.fullmatch(r"(\d+)([smhd])", value) if isinstance(value, str) else None
    if isinstance(value, str) and match is None:
        raise ValueError(f"{value!r} is not a duration; write for example 90s, 5m, 1h or 1d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else value


def format_duration(value: timedelta) -> str:
    """The shortest text that `parse_duration` reads back."""
    seconds = int(value.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


FX_DAYS, FX_SESSIONS = "24/5", "24/5-NY"
WEEKS_PER_YEAR = 365.2425 / 7
MOST_APART = 0.05


def fx_bars_per_year(calendar: str, bar_length: timedelta) -> float | None:
    """Bars in a year of the currency markets' week; None for other calendars and longer bars."""
    days = {FX_DAYS: 6, FX_SESSIONS: 5}.get(calendar)
    if days is None or not timedelta(0) < bar_length <= timedelta(days=1):
        return None
    if bar_length == timedelta(days=1):
        return days * WEEKS_PER_YEAR
    return timedelta(hours=120) / bar_length * WEEKS_PER_YEAR


Duration = Annotated[
    timedelta, BeforeValidator(parse_duration), PlainSerializer(format_duration, return_type=str)
]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
StrategyName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class Strict(BaseModel):
    """Frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ProviderSpec(Strict):
    """Which provider plug-in delivers the data, and its own settings."""

    name: Name
    settings: dict[str, Any] = {}


class Market(Strict):
    """Facts about the market that every pillar may need."""

    asset_class: Literal["equity", "crypto_perpetual", "crypto_spot", "fx", "future"]
    currency: Name
    calendar: Annotated[str, Field(pattern=r"^(24/7|24/5|24/5-NY|[A-Z][A-Z0-9]*)$")] = Field(
        description="exchange calendar code such as XNYS, or 24/7, or for currencies 24/5 (days in "
        "UTC, Sunday evening included) or 24/5-NY (days that end at 17:00 in New York)"
    )
    time_zone: str = Field(description="IANA zone of the exchange's sessions")
    bar_length: Duration
    bars_per_year: Annotated[int, Field(gt=0)]
    publication_delay: Duration = timedelta(0)
    decision_lag: Duration = timedelta(0)
    price_fields: list[Literal["open", "high", "low", "close", "volume"]]
    price_adjustment: Literal["none", "splits", "total_return"] = "none"
    survivors_only: bool = False
    simulated: bool = False
    funding: Literal["none", "required", "assume_zero"] = "none"

    @model_validator(mode="after")
    def _closes(self) -> "Market":
        if "close" not in self.price_fields:
            raise ValueError("price_fields must contain close: nothing can be valued without it")
        if self.bar_length <= timedelta(0):
            raise ValueError("bar_length must be positive")
        expected = fx_bars_per_year(self.calendar, self.bar_length)
        if expected is not None and abs(self.bars_per_year / expected - 1.0) > MOST_APART:
            raise ValueError(
                f"bars_per_year {self.bars_per_year} does not fit calendar {self.calendar} with "
                f"bars of {format_duration(self.bar_length)}, which has about {expected:.0f}"
            )
        return self

    @property
    def closes_only(self) -> bool:
        """True when the source has no opens: fills happen at the next close."""
        return "open" not in self.price_fields


class History(Strict):
    """First and last day for which the provider has data; both included."""

    first: date
    last: date | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "History":
        if self.last is not None and self.last < self.first:
            raise ValueError(f"last {self.last} lies before first {self.first}")
        return self


class Reference(Strict):
    """Benchmark index and risk-free series of the venue; null where there is none."""

    benchmark: str | None = None
    risk_free: str | None = None


class Freshness(Strict):
    """How old the end of the newest bar may be; null: the venue's age is not judged."""

    warn_after: Duration | None = None
    fail_after: Duration | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "Freshness":
        warn, fail = self.warn_after, self.fail_after
        if warn is not None and fail is not None and fail < warn:
            raise ValueError("fail_after is shorter than warn_after")
        return self


class DiscoveryParameters(Strict):
    """Rules of the candidate pool; each exclusion is recorded with rule and value."""

    min_history_bars: Annotated[int, Field(ge=1)] = 120
    min_completeness: Fraction = 0.95
    max_stale_bars: Annotated[int, Field(ge=0)] = 5
    min_annual_volatility: Annotated[float, Field(ge=0)] = 0.02
    max_annual_volatility: Annotated[float, Field(gt=0)] = 2.0
    min_dollar_volume: Annotated[float, Field(ge=0)] = 0.0
    max_correlation: Annotated[float, Field(gt=0, le=1)] = 0.995


class AlphaParameters(Strict):
    """Horizon of the features and how scores are blended.

    `month_bars` is the length of a feature 'month' in bars (21 for daily equities).
    """

    month_bars: Annotated[int, Field(ge=1)]
    mps_weights: dict[str, float] = {
        "momentum_12_1": 1.0,
        "trend": 1.0,
        "distance_52w_high": 0.5,
        "volatility": -0.5,
        "drawdown": 0.5,
    }
    model: Literal["ridge", "none"] = "ridge"
    model_min_rows: Annotated[int, Field(ge=20)] = 500
    label_horizon_bars: Annotated[int, Field(ge=1)] = 21
    embargo_bars: Annotated[int, Field(ge=0)] = 5
    signal_weights: dict[str, float] = {"rank": 1.0, "mps": 1.0, "model": 1.0}
    annual_alpha: Annotated[float, Field(ge=0)] = Field(
        default=0.05, description="annual expected excess return of a blended score of +1"
    )


class SynthesisParameters(Strict):
    """Clusters and streams."""

    max_clusters: Annotated[int, Field(ge=1)] = 6
    sides: list[Literal["long", "short"]] = ["long"]
    min_cluster_correlation: Annotated[float, Field(ge=-1, le=1)] = 0.0


class ForeignEntrant(Strict):
    """An estimator of another library by its import path, and its constructor's parameters."""

    import_path: str
    parameters: dict[str, Any] = {}


class OptimizationParameters(Strict):
    """Constraints of every entrant; turnover is two-way, as a fraction of equity per window."""

    entrants: list[str] | None = Field(
        default=None, description="null: every optimizer that enters by default, and all `foreign`"
    )
    foreign: dict[Name, ForeignEntrant] = Field(
        default={}, description="entrants of other libraries, by the name they take part under"
    )
    selections: list[str] = Field(
        default=["all"], description="which streams an optimizer sees; each makes entrants"
    )
    cost_models: list[str] = Field(
        default=["none"], description="how entrants mind costs when they trade; each makes entrants"
    )
    budget: float = 1.0
    min_weight: float = 0.0
    max_weight: Annotated[float, Field(gt=0)] = 0.20
    max_gross: Annotated[float, Field(gt=0)] = 1.0
    max_turnover: Annotated[float, Field(ge=0)] | None = 1.0
    risk_aversion: Annotated[float, Field(gt=0)] = 5.0
    cvar_level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    champion_half_life_windows: Annotated[float, Field(gt=0)] = 12.0
    champion_min_windows: Annotated[int, Field(ge=1)] = 6

    @model_validator(mode="after")
    def _ordered(self) -> "OptimizationParameters":
        if self.min_weight > self.max_weight:
            raise ValueError(f"min_weight {self.min_weight} exceeds max_weight {self.max_weight}")
        if "all" not in self.selections or "none" not in self.cost_models:
            raise ValueError(
                "selections must have all, and cost_models none: the plain entrants are what the "
                "others are compared with"
            )
        return self


class SimulationParameters(Strict):
    """Costs and capital. `lot_size` 0 means fractional quantities."""

    initial_equity: Annotated[float, Field(gt=0)] = 1_000_000.0
    cash_rate: Annotated[float, Field(ge=0)] = 0.0
    fee_bps: Annotated[float, Field(ge=0, lt=10_000)] = 1.0
    slippage_bps: Annotated[float, Field(ge=0, lt=10_000)] = 5.0
    fill: Literal["next_open", "next_close"] = "next_open"
    lot_size: Annotated[float, Field(ge=0)] = 0.0


class StrategyRoles(Strict):
    """Strategies of the folder `strategies_folder` that take part in this venue, by name."""

    entrants: list[StrategyName] = Field(
        default=[], description="in the tournament, each with its own simulated account"
    )
    streams: list[StrategyName] = Field(
        default=[], description="in synthesis: what they hold is offered to the optimizers"
    )


class ReportingParameters(Strict):
    """What the tear sheet shows, and how many histories `monte_carlo` draws from which seed."""

    rolling_bars: Annotated[int, Field(ge=2)] = 126
    monte_carlo_paths: Annotated[int, Field(ge=1)] = 1_000
    monte_carlo_seed: Annotated[int, Field(ge=0)] = 0


class Venue(Strict):
    """One venue YAML file."""

    name: Name
    title: str
    description: str = ""
    provider: ProviderSpec
    history: History
    training_windows: Annotated[int, Field(ge=1)] | None = None
    market: Market
    reference: Reference = Reference()
    freshness: Freshness = Freshness()
    discovery: DiscoveryParameters = DiscoveryParameters()
    alpha: AlphaParameters
    synthesis: SynthesisParameters = SynthesisParameters()
    optimization: OptimizationParameters = OptimizationParameters()
    simulation: SimulationParameters = SimulationParameters()
    strategies: StrategyRoles = StrategyRoles()
    reporting: ReportingParameters = ReportingParameters()

    @model_validator(mode="after")
    def _honest(self) -> "Venue":
        if self.market.closes_only and self.simulation.fill == "next_open":
            raise ValueError(
                "a venue without opens cannot fill at the next open: set simulation.fill to "
                "next_close (it is stamped on the report), or offer open in market.price_fields"
            )
        wants_short = "short" in self.synthesis.sides
        if self.optimization.min_weight < 0 and not wants_short:
            raise ValueError("optimization.min_weight is negative: add short to synthesis.sides")
        return self

    def stamps(self) -> list[str]:
        """Assumptions that every report of this venue must show."""
        market, notes = self.market, []
        if market.simulated:
            notes.append("SIMULATED: generated data, no market ever traded these prices")
        if market.closes_only:
            notes.append("CLOSES ONLY: no open/high/low/volume; orders fill at the next close")
        elif self.simulation.fill == "next_close":
            notes.append("NEXT CLOSE: orders fill at the close of the first bar, not at its open")
        if market.survivors_only:
            notes.append("SURVIVORS ONLY: the universe holds names that still exist today")
        if market.price_adjustment != "none":
            notes.append(f"PRICES ADJUSTED: {market.price_adjustment}")
        if market.funding == "assume_zero":
            notes.append("FUNDING ASSUMED ZERO where the source has none")
        return notes
