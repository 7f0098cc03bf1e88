"""Strategy files: YAML that says signals, sizing, risk, regime, backtest and execution."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from quant_assets.core.errors import ConfigError
from quant_assets.core.venues import Duration, format_duration
from quant_assets.core.yaml_loader import Located, load_yaml, parse_yaml, validate
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.membership import OnExit
from quant_assets.quant.strategies.builder import StrategyBuilder
from quant_assets.quant.strategies.composed import Pipeline
from quant_assets.quant.strategies.config_parts import Parts
from quant_assets.quant.strategies.versioning import (
    checked_version,
    param_hash,
    param_yaml,
    strategy_hash,
)

__all__ = ["LoadedStrategy", "StrategyFile", "load_strategy"]

Plugins = list[str | dict[str, Any]]
TEXT = Path("<text>")


def _day(value: object) -> object:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _semver(value: object) -> object:
    try:
        return checked_version(value) if isinstance(value, str) else value
    except ConfigError as cause:
        raise ValueError(str(cause)) from None


Day = Annotated[date, BeforeValidator(_day)]
Conditions = Annotated[Plugins, Field(min_length=1)]


class _Section(BaseModel):
    """Frozen, no unknown keys, no conversions: a word is not a number, `on` is not true."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Runtime(_Section):
    """The clock that the strategy is made for, and the bars before its first decision."""

    candle_interval: Duration | None = None
    warmup_periods: Annotated[int, Field(ge=0)] | None = None


class SignalRules(_Section):
    """Rules by signal, those of one list must all hold; or a strategy of the library."""

    strategy: str | dict[str, Any] | None = None
    entry_long: Conditions | None = None
    exit_long: Conditions | None = None
    entry_short: Conditions | None = None
    exit_short: Conditions | None = None

    @model_validator(mode="after")
    def _enters(self) -> "SignalRules":
        rules = self.model_fields_set - {"strategy"}
        if self.strategy is not None and rules:
            raise ValueError(
                f"a strategy has its own signals; leave out {', '.join(sorted(rules))}"
            )
        if self.strategy is None and self.entry_long is None and self.entry_short is None:
            raise ValueError("entry_long or entry_short is needed: nothing would ever be traded")
        return self


class Sizing(_Section):
    """An entry sizer by name, and its parameters."""

    type: str
    params: dict[str, Any] = {}


class RegimeSection(_Section):
    """Regimes in which entries are allowed; `classifier` as any plug-in."""

    enabled: bool = True
    allowed: Annotated[list[str], Field(min_length=1)]
    confidence_threshold: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    classifier: str | dict[str, Any] = "moving_average_trend"


class Components(_Section):
    """The parts of the strategy."""

    indicators: Plugins = []
    signals: SignalRules
    sizing: Sizing | None = None
    risk: Plugins = []
    regime: RegimeSection | None = None


class VenueUniverse(_Section):
    """The venue's universe, as it was known at each decision: its asset `universe`.

    on_exit : what becomes of a position whose symbol has left it: `close` at the next fill, `keep`.
    """

    source: Literal["venue"] = Field(alias="from")
    on_exit: OnExit = "close"


def _shape(value: Any) -> str:
    return "list" if isinstance(value, list) else "str" if isinstance(value, str) else "members"


Universe = Annotated[
    Annotated[str, Tag("str")]
    | Annotated[list[str], Tag("list")]
    | Annotated[VenueUniverse, Tag("members")],
    Discriminator(_shape),
]


class Backtest(_Section):
    """What a backtest of this strategy runs on; the universe is resolved by the caller.

    universe : symbols, the name of a venue, any other name as a label, or `from: venue`.
    """

    start_date: Day | None = None
    end_date: Day | None = None
    initial_capital: Annotated[float, Field(gt=0.0)] = 100_000.0
    universe: Universe | None = None

    @property
    def members(self) -> VenueUniverse | None:
        """Whose members alone are traded, where the file asks for it."""
        return self.universe if isinstance(self.universe, VenueUniverse) else None

    @model_validator(mode="after")
    def _ordered(self) -> "Backtest":
        if self.start_date and self.end_date and self.start_date >= self.end_date:
            raise ValueError(f"end_date {self.end_date} is not after start_date {self.start_date}")
        return self


Model = str | dict[str, Any]


class Execution(_Section):
    """Settings of the execution model, which the simulation resolves by name."""

    preset: str | None = None
    fill_model: Model | None = None
    slippage_model: Model | list[Model] | None = None
    commission_model: Model | None = None
    borrow_model: Model | None = None
    funding_model: Model | None = None
    margin_model: Model | None = None
    fx_model: Model | None = None
    instrument_model: Model | None = None
    cash_rate: float | None = None
    debit_rate: float | None = None
    short_rebate: float | None = None
    slippage_scale: float | None = None
    commission_scale: float | None = None

    def settings(self) -> dict[str, Any]:
        """What was given, by key."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}


class WalkForwardSection(_Section):
    """What a walk-forward chooses anew for every window, as `quant.tuning` takes it.

    parameters : values by their path in this file, as in
        `components.signals.entry_long.0.rsi_oversold.threshold: [20, 25, 30]`.
    training_windows : windows before the tested one; None: as many as the venue trains on.
    """

    parameters: Annotated[dict[str, list[Any] | dict[str, Any]], Field(min_length=1)]
    objective: Model = "sharpe"
    search: Model = "grid"
    training_windows: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _of_components(self) -> "WalkForwardSection":
        others = [path for path in self.parameters if not path.startswith("components.")]
        if others:
            raise ValueError(f"only values below components can be chosen, not {others[0]}")
        return self


class StrategyFile(_Section):
    """One strategy file."""

    strategy: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    version: Annotated[str, BeforeValidator(_semver)]
    runtime: Runtime = Runtime()
    components: Components
    backtest: Backtest = Backtest()
    execution: Execution = Execution()
    walk_forward: WalkForwardSection | None = None


@dataclass(frozen=True, kw_only=True)
class LoadedStrategy:
    """A strategy file: the strategy it builds, and its settings.

    `data` are the plain values of the file; comments and layout are gone.
    """

    strategy: Pipeline
    settings: StrategyFile
    data: Mapping[str, Any]
    source: Path

    @property
    def strategy_hash(self) -> str:
        """Hash of the code that it uses, of its parameters, and of the other values of its file."""
        apart = {"strategy", "version", "components", "walk_forward"}
        return strategy_hash(self.strategy, self.settings.model_dump(mode="json", exclude=apart))

    @property
    def param_hash(self) -> str:
        """Hash of its parameters."""
        return param_hash(self.strategy)

    @property
    def param_yaml(self) -> str:
        """Its parameters, those that the file left out included."""
        return param_yaml(self.strategy)

    def check_bars(self, bars: BarPanel) -> None:
        """`ConfigError` for bars of another length than the file says."""
        wanted = self.settings.runtime.candle_interval
        if wanted is not None and wanted != bars.bar_length:
            raise ConfigError(
                f"{self.source}: {self.strategy.name} is made for bars of {wanted}; these have "
                f"{bars.bar_length}. Resample them, or change runtime.candle_interval"
            )


def load_strategy(source: Path | str) -> LoadedStrategy:
    """Read a strategy file, or its text (a string of more than one line).

    Raises `ConfigError` with one line per problem: `file:line: place: what is wrong`.
    """
    if isinstance(source, str) and "\n" in source:
        return _build(parse_yaml(source, TEXT))
    return _build(load_yaml(Path(source)))


def _require_warm_up(strategy: Pipeline, runtime: Runtime) -> None:
    """`ConfigError` for a warm-up that longer timeframes make too short on any bars."""
    given, length = runtime.warmup_periods, runtime.candle_interval
    if given is None or not isinstance(length, timedelta):
        return
    needed = strategy.least_warm_up(length)
    if given < needed:
        raise ConfigError(
            f"{strategy.name}: warm-up of {given} bars; its signals need {needed} bars of "
            f"{format_duration(length)} or more until the longer timeframes are known"
        )


def _build(located: Located) -> LoadedStrategy:
    settings = validate(located, StrategyFile)
    parts = Parts(located, settings.runtime.candle_interval)
    given = settings.components
    indicators = parts.indicators(given.indicators)
    signals = parts.source(given.signals.model_dump(exclude_none=True), indicators)
    sizer = parts.sizer(given.sizing.type, given.sizing.params) if given.sizing else None
    rules = parts.risk(given.risk)
    regime = None
    if given.regime is not None:
        regime = parts.regime(given.regime.model_dump(exclude={"enabled"}))
    parts.refuse()
    builder = StrategyBuilder(settings.strategy, settings.version).with_indicators(*indicators)
    builder = builder.with_signals(signals).with_risk(*rules)
    if regime is not None and given.regime is not None and given.regime.enabled:
        builder = builder.with_regime(regime)
    if sizer is not None:
        builder = builder.with_sizing(sizer)
    if settings.execution.settings():
        builder = builder.with_execution(settings.execution.settings())
    if settings.runtime.warmup_periods is not None:
        builder = builder.with_warm_up(settings.runtime.warmup_periods)
    with parts.at("runtime", "warmup_periods"):
        strategy = builder.build()
        _require_warm_up(strategy, settings.runtime)
    parts.refuse()
    return LoadedStrategy(
        strategy=strategy, settings=settings, data=located.data, source=located.path
    )
