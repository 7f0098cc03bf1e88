"""One run of a strategy: what goes in, the result, and the hashes that name it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from quant_assets.cli.strategies.bars import Found, Wanted, find_bars, parse_symbols
from quant_assets.cli.strategies.funding_file import ZERO, with_funding
from quant_assets.cli.strategies.inputs import before, with_inputs
from quant_assets.cli.strategies.members import VENUE, Members, with_members
from quant_assets.cli.strategies.targets import Target, find_target
from quant_assets.core.errors import DataError
from quant_assets.core.hashing import combine, digest

if TYPE_CHECKING:
    from quant_assets.core.config import Settings
    from quant_assets.quant.simulation.execution.model import ExecutionModel
    from quant_assets.quant.simulation.execution.results import BacktestResult
    from quant_assets.quant.tuning.vault import HoldOutVault
    from quant_assets.reporting.strategy.inputs import RunFacts

DEFAULT_CAPITAL = 100_000.0
HASH_DIGITS = 16


@dataclass(frozen=True)
class Choice:
    """What the command line says of a run.

    changed : parameters by name. execution : a preset; None: that of the strategy. any_dates :
        dates and symbols of the strategy's file do not count. capital : None: the file's.
    hold_out : months at the end that stay sealed; 0: none. rates : file with rates of currencies.
    members : who may be traded when; without them as the file says. funding : a file with
        settlements, or `zero`; None: those that are stored.
    """

    strategy: str
    wanted: Wanted
    changed: Mapping[str, Any] = field(default_factory=dict)
    execution: str | None = None
    capital: float | None = None
    any_dates: bool = False
    hold_out: int = 0
    rates: Path | None = None
    funding: str | None = None
    members: Members = field(default_factory=Members)


@dataclass(frozen=True)
class Prepared:
    """Strategy, bars and execution model of a run that has not been made yet.

    benchmark : what its results are compared with, by name; "": nothing.
    """

    target: Target
    found: Found
    model: "ExecutionModel"
    capital: float
    benchmark: str = ""

    def run(self) -> "StrategyRun":
        """Simulate; a run that takes longer than a few seconds tells how far it is."""
        from quant_assets.cli.strategies.telling import telling_late
        from quant_assets.quant.simulation.execution.runs import backtest

        with telling_late("bars") as progress:
            result = backtest(
                self.target.strategy,
                self.found.panel,
                self.model,
                initial_capital=self.capital,
                benchmark=self.found.benchmark,
                progress=progress,
                **self.found.inputs,
            )
        return StrategyRun(self, result)


@dataclass(frozen=True)
class StrategyRun:
    """A run with its hashes."""

    prepared: Prepared
    result: "BacktestResult"

    @cached_property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of everything that went in, and of what came out (`BacktestResult.hash()`)."""
        made = self.prepared
        given = {
            "strategy": made.target.strategy_hash,
            "parameters": made.target.param_hash,
            "bars": made.found.digest,
            "execution": made.model.digest(),
            "capital": digest(made.capital),
        }
        if made.found.benchmark is not None:
            given["benchmark"] = digest(made.found.benchmark.tolist())
        if made.found.start is not None:
            given["start"] = digest(made.found.start.isoformat())
        return {"run": combine(given), **given, "result": self.result.hash()}

    @property
    def run_hash(self) -> str:
        """The short name of the run: equal inputs give equal names."""
        return self.hashes["run"][:HASH_DIGITS]

    @property
    def name(self) -> str:
        """Name of the strategy."""
        return self.prepared.target.strategy.name

    @cached_property
    def facts(self) -> "RunFacts":
        """What the report says of the run."""
        from quant_assets.core.venues import format_duration
        from quant_assets.reporting.strategy.inputs import RunFacts

        made = self.prepared
        strategy, found = made.target.strategy, made.found
        return RunFacts(
            name=strategy.name,
            version=strategy.version,
            source=made.target.source,
            universe=found.universe,
            currency=found.currency,
            bar_length=format_duration(found.panel.bar_length),
            stamps=found.stamps,
            notes=(*found.notes, *self.result.assumptions, *self.result.doubts),
            parameters=made.target.parameters,
            execution=made.model.settings(),
            hashes=self.hashes,
            warm_up=strategy.warm_up,
            benchmark=made.benchmark,
        )


def prepare(choice: Choice, settings: "Settings") -> Prepared:
    """Find strategy and bars; what the strategy's own file says holds where nothing else is said.

    Raises `ConfigError` and `DataError` with what there is instead.
    """
    folder = settings.strategies_folder
    target = find_target(choice.strategy, changed=choice.changed, folder=folder)
    wanted, capital, note = _wanted(choice, target)
    members = _members(choice, target)
    wanted = replace(wanted, members=members.source is not None)
    found = find_bars(wanted, settings)
    found = with_members(found, members, wanted, settings)
    if note:
        found = replace(found, notes=(*found.notes, note))
    found = with_funding(found, choice.funding)
    model = _execution(target, choice.execution, zero_funding=found.zero_funding)
    if choice.funding == ZERO:
        model = replace(model, funding_model="assume_zero")
    found = with_inputs(found, model, choice.rates)
    if choice.hold_out:
        found = sealed(found, settings, choice.hold_out)[0]
    if target.loaded is not None:
        target.loaded.check_bars(found.panel)
    return Prepared(target, found, model, capital, wanted.benchmark or "")


def sealed(found: Found, settings: "Settings", months: int) -> "tuple[Found, HoldOutVault]":
    """What is known before the last `months` months, and the vault that holds the rest."""
    from quant_assets.quant.tuning.vault import seal
    from quant_assets.storage.vault_log import VaultLog

    panel, vault = seal(found.panel, VaultLog(settings.data_root.absolute()), months=months)
    n_traded = len(panel) - found.first_bar
    if n_traded < 2:
        raise DataError(
            f"{months} sealed months begin at {str(vault.first)[:10]} and leave {max(n_traded, 0)} "
            f"of the bars from {str(found.start)[:10]} on"
        )
    first = pd.Timestamp(vault.first, tz="UTC")

    def known(rows: pd.DataFrame | None) -> pd.DataFrame | None:
        inside = None if rows is None else rows[rows["available_at"] <= first]
        return None if inside is None else inside.reset_index(drop=True)

    detail = None if found.detail is None else before(found.detail, vault.first)
    benchmark = None if found.benchmark is None else found.benchmark[: len(panel)]
    note = f"HELD OUT: bars from {str(vault.first)[:10]} on are sealed; opened {vault.opened} times"
    stamps = (*found.stamps, note)
    found = replace(found, funding=known(found.funding), detail=detail, rates=known(found.rates))
    return replace(found, panel=panel, benchmark=benchmark, stamps=stamps), vault


def _wanted(choice: Choice, target: Target) -> tuple[Wanted, float, str]:
    """The bars that are wanted, the capital, and what became of the file's universe."""
    wanted = choice.wanted
    if target.loaded is None:
        return wanted, choice.capital or DEFAULT_CAPITAL, ""
    given = target.loaded.settings
    length = wanted.bar_length or given.runtime.candle_interval
    wanted, capital = replace(wanted, bar_length=length), choice.capital
    capital = capital or given.backtest.initial_capital
    if choice.any_dates:
        return wanted, capital, ""
    start, end = given.backtest.start_date, given.backtest.end_date
    wanted = replace(
        wanted,
        start=wanted.start or (start.isoformat() if start else None),
        end=wanted.end or (end.isoformat() if end else None),
    )
    universe, note = given.backtest.universe, ""
    if isinstance(universe, list) and not wanted.symbols:
        wanted = replace(wanted, symbols=parse_symbols(universe))
    elif isinstance(universe, str) and wanted.venue is None and wanted.file is None:
        wanted = replace(wanted, venue=universe)
    elif isinstance(universe, str) and universe != wanted.venue:
        note = f"the file's universe {universe!r} was not used: the bars were named"
    return wanted, capital, note


def _members(choice: Choice, target: Target) -> Members:
    """Who may be traded: as the command line says, else as the strategy's file does."""
    said, loaded = choice.members, target.loaded
    rule = None if loaded is None or choice.any_dates else loaded.settings.backtest.members
    if said.source is not None or rule is None:
        return said
    return Members(VENUE, said.on_exit or rule.on_exit)


def _execution(target: Target, preset: str | None, *, zero_funding: bool) -> "ExecutionModel":
    """The preset, else that of the strategy; funding is zero where the venue assumes it."""
    from quant_assets.quant.simulation.execution.model import ExecutionModel

    given = preset if preset is not None else getattr(target.strategy, "execution", None)
    if isinstance(given, ExecutionModel):
        return given
    settings = {"preset": given} if isinstance(given, str) else dict(given or {})
    if zero_funding:
        settings = {"funding_model": "assume_zero", **settings}
    return ExecutionModel.from_settings(settings)


def runs_folder(settings: "Settings") -> Path:
    """Where runs of strategies are kept."""
    return settings.data_root.absolute() / "reports" / "strategies"
