"""Which strategies take part in the pillars of which venues, and what is read of them.

A venue's section `strategies` names entrants of the tournament and streams of the synthesis:
strategies, and as `<strategy>_walk` the walk-forwards of those that have one. Where no venue names
any, nothing is declared here, and no cell of a venue reads a strategy that the venue does not name.
"""

from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
import pandas as pd

from quant_assets.adapters.venues.loader import SUFFIXES, packaged_folder
from quant_assets.core.errors import ConfigError
from quant_assets.core.hashing import plugin_modules
from quant_assets.core.venues import Venue
from quant_assets.core.yaml_loader import load_yaml
from quant_assets.orchestration.cells import CellSpec, window_asset
from quant_assets.orchestration.partitions import (
    History,
    previous_window,
    this_window,
    training,
    whole_venue,
    with_window_before,
)
from quant_assets.orchestration.walk import Handle, walk
from quant_assets.orchestration.workspace import Workspace
from quant_assets.storage.paths import Cell

if TYPE_CHECKING:
    from quant_assets.quant.strategies.config import LoadedStrategy

OPTIMIZERS = "quant_assets.quant.optimization"
WALK = "_walk"
SECTION, ENTRANTS, STREAMS = "strategies", "entrants", "streams"
Named = dict[str, frozenset[str]]


def entrant_reads(workspace: Workspace) -> dict[str, History]:
    """What the simulation reads of strategies: the accounts and fills of the window."""
    found: dict[str, History] = {}
    for name, venues in named(workspace, ENTRANTS).items():
        longer = _on_longer_bars(workspace, name, venues)
        for parts, own in (
            (("equity", "fills"), venues - longer),
            (("marks", "marks_fills"), longer),
        ):
            if own:
                found |= {f"{name}_{part}": replace(this_window(), venues=own) for part in parts}
    return found


def stream_reads(workspace: Workspace) -> dict[str, History]:
    """What the streams read for strategies: all of it from windows before the decision."""
    roles = named(workspace, STREAMS)
    if not roles:
        return {}
    found = {"returns_matrix": replace(training(), venues=frozenset().union(*roles.values()))}
    for name, venues in roles.items():
        found[f"{name}_stances"] = replace(previous_window(), venues=venues)
        longer = _on_longer_bars(workspace, name, venues)
        for part, own in (("equity", venues - longer), ("marks", longer)):
            if own:
                found[f"{name}_{part}"] = replace(training(), venues=own)
    return found


def _on_longer_bars(workspace: Workspace, name: str, venues: frozenset[str]) -> frozenset[str]:
    """Venues whose bars are shorter than those that the strategy decides on."""
    from quant_assets.quant.simulation.strategy_windows.reading import bar_length_of

    settings = workspace.strategies[name.removesuffix(WALK)].settings
    markets = {venue: workspace.venues[venue].market for venue in venues}
    return frozenset(
        venue for venue, own in markets.items() if bar_length_of(settings, own) != own.bar_length
    )


def leak_reads(workspace: Workspace) -> dict[str, History]:
    """What the tear sheet reads of strategies: verdicts on all that take part."""
    found: dict[str, frozenset[str]] = {}
    for role in (ENTRANTS, STREAMS):
        for name, venues in named(workspace, role).items():
            asset = f"{name.removesuffix(WALK)}_leaks"
            found[asset] = found.get(asset, frozenset()) | venues
    return {asset: replace(whole_venue(), venues=venues) for asset, venues in sorted(found.items())}


def walk_reads(workspace: Workspace) -> dict[str, History]:
    """Walk-forwards of all strategies, whose searches come before their trials are counted."""
    if workspace.settings.strategies_folder is None:
        return {}
    return {
        f"{name}_walk_forward": this_window()
        for name, loaded in workspace.strategies.items()
        if loaded.settings.walk_forward is not None
    }


def verdicts(workspace: Workspace, venue: str) -> dict[str, pd.DataFrame]:
    """Stored `<strategy>_leaks` of all that take part in a venue; empty frames where none is."""
    from quant_assets.contracts.strategy_leaks import StrategyLeaks

    cells = [
        Cell(asset, venue, "all")
        for asset, history in leak_reads(workspace).items()
        if history.concerns(venue)
    ]
    store = workspace.store
    return {
        cell.asset: StrategyLeaks.empty() if store.manifest(cell) is None else store.read(cell)
        for cell in cells
    }


def stance_assets(workspace: Workspace) -> list[dg.AssetsDefinition]:
    """`<strategy>_stances` of every strategy that some venue names for its streams."""
    return [
        _stances(_account_spec(workspace, name), name, venues)
        for name, venues in named(workspace, STREAMS).items()
    ]


def _stances(account: CellSpec, name: str, venues: frozenset[str]) -> dg.AssetsDefinition:
    from quant_assets.contracts.strategy_stances import StrategyStances
    from quant_assets.core.context import StrategyContext
    from quant_assets.quant.simulation.strategy_windows.stances import strategy_stances_window

    def excluded(venue: Venue) -> str:
        return "" if venue.name in venues else f"{venue.name} does not name {name} for its streams"

    spec = CellSpec(
        outs={},
        kind=account.kind,
        group=account.group,
        context=StrategyContext.of_strategy({"strategy": name}),
        step=strategy_stances_window,
        reads={f"{name}_{part}": this_window() for part in ("trades", "positions", "equity")},
        excluded=excluded,
    )

    def body(context: dg.AssetExecutionContext, **handles: Handle) -> Any:
        """What the strategy holds at each close, -1 to 1; grain: bar x symbol."""
        return walk(context, **handles)

    body.__name__ = f"{name}_stances"
    del body.__annotations__["return"]  # Dagster would ask for a type of the out
    return window_asset(spec, contract=StrategyStances)(body)


def mark_assets(workspace: Workspace) -> list[dg.AssetsDefinition]:
    """`<strategy>_marks` and `_marks_fills` of those that some venue names and has shorter bars."""
    taking_part: dict[str, frozenset[str]] = {}
    for role in (ENTRANTS, STREAMS):
        for name, venues in named(workspace, role).items():
            taking_part[name] = taking_part.get(name, frozenset()) | venues
    longer = {
        name: _on_longer_bars(workspace, name, venues)
        for name, venues in sorted(taking_part.items())
    }
    return [
        _marks(_account_spec(workspace, name), name, venues)
        for name, venues in longer.items()
        if venues
    ]


def _marks(account: CellSpec, name: str, venues: frozenset[str]) -> dg.AssetsDefinition:
    from quant_assets.contracts.equity import Equity
    from quant_assets.contracts.fills import Fills
    from quant_assets.quant.simulation.strategy_windows.marks import strategy_marks_window

    def excluded(venue: Venue) -> str:
        return "" if venue.name in venues else f"{name} takes no part in {venue.name} on its bars"

    spec = replace(
        account,
        outs={f"{name}_marks": Equity, f"{name}_marks_fills": Fills},
        step=strategy_marks_window,
        reads={
            "bars": this_window(),
            f"{name}_equity": this_window(),
            f"{name}_fills": this_window(),
            f"{name}_positions": with_window_before(),
        },
        excluded=excluded,
        chain=None,
        plugins=(),
        extras=None,
        enough=None,
    )

    def body(context: dg.AssetExecutionContext, **handles: Handle) -> Any:
        return walk(context, **handles)

    body.__name__, body.__doc__ = f"{name}_marks", f"Account of {name} on the venue's own bars."
    del body.__annotations__["return"]  # Dagster would ask for a type of every out
    return window_asset(spec)(body)


@cache
def named(workspace: Workspace, role: str) -> Named:
    """Names of a role, sorted, each with the venues that give it to the strategy.

    Raises `ConfigError` with `file:line` of every name that is unknown, or that can take no part.
    """
    found: dict[str, set[str]] = {}
    problems: list[str] = []
    for venue in workspace.venues.values():
        for place, name in enumerate(getattr(venue.strategies, role)):
            problem = _problem(workspace, venue, role, name)
            if problem:
                problems.append(f"{_place(workspace, venue, role, place)}: {problem}")
            found.setdefault(name, set()).add(venue.name)
    if problems:
        raise ConfigError("\n".join(problems))
    return {name: frozenset(venues) for name, venues in sorted(found.items())}


def _place(workspace: Workspace, venue: Venue, role: str, place: int) -> str:
    """`file:line: key` of one name in the venue's file."""
    folder = workspace.settings.venues_folder
    paths = [
        parent / f"{venue.name}{suffix}"
        for parent in ((folder,) if folder is not None else ()) + (packaged_folder(),)
        for suffix in SUFFIXES
    ]
    path = next(path for path in paths if path.is_file())
    line = load_yaml(path).line((SECTION, role, place))
    return f"{path}:{line}: {SECTION}.{role}"


def _problem(workspace: Workspace, venue: Venue, role: str, name: str) -> str:
    """Why a strategy cannot have a role in a venue, in words; empty when it can."""
    if workspace.settings.strategies_folder is None:
        return f"{name!r} is no strategy: settings.yaml has no strategies_folder"
    walked = [
        f"{strategy}{WALK}"
        for strategy, loaded in workspace.strategies.items()
        if loaded.settings.walk_forward is not None
    ]
    known = sorted([*workspace.strategies, *walked])
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known) or 'none'}"
        return f"no strategy named {name!r} in strategies_folder; {hint}"
    return next(_obstacles(workspace, venue, role, name), "")


def _obstacles(workspace: Workspace, venue: Venue, role: str, name: str) -> Iterator[str]:
    account = _account_spec(workspace, name)
    reason = account.excluded(venue) if account.excluded is not None else ""
    if reason:
        yield f"{name!r} has no cells in this venue: {reason}"
    loaded = workspace.strategies[account.group]
    longer = bool(_on_longer_bars(workspace, name, frozenset({venue.name})))
    if role == STREAMS and longer and _has_own_units(loaded):
        yield (
            f"{name!r} decides on longer bars than the venue's, on which contracts with a "
            "multiplier, or prices in other currencies, cannot be marked"
        )
    if role == ENTRANTS:
        if _is_taken(venue, name):
            yield f"{name!r} is the name of another entrant of this venue: rename the strategy"
        if _has_own_units(loaded):
            yield (
                f"{name!r} trades contracts with a multiplier or prices in other currencies, whose "
                "turnover the tournament cannot state"
            )


def _account_spec(workspace: Workspace, name: str) -> CellSpec:
    """What makes the account of a strategy, or of its walk-forward."""
    from quant_assets.orchestration.factories import strategy_specs

    loaded = workspace.strategies[name.removesuffix(WALK)]
    specs = strategy_specs(loaded, workspace.venues)
    return next(spec for spec in specs if f"{name}_equity" in spec.outs)


def _is_taken(venue: Venue, name: str) -> bool:
    """Whether the venue has an entrant or a benchmark of that name.

    Optimizers are asked by their files first: to import them all takes a second.
    """
    from quant_assets.quant.optimization.limits import CHAMPION

    files = {module.rpartition(".")[2] for module in plugin_modules(OPTIMIZERS)}
    wanted = venue.optimization
    if name in {CHAMPION, venue.reference.benchmark, *wanted.foreign, *(wanted.entrants or ())}:
        return True
    if name not in files:
        return False
    from quant_assets.quant.optimization.entrants import entrant_classes

    return name in entrant_classes(wanted)


def _has_own_units(loaded: "LoadedStrategy") -> bool:
    """Whether quantity times price is not money of the account."""
    from quant_assets.quant.simulation.execution.fx.none import NoFx
    from quant_assets.quant.simulation.execution.instruments.base import InstrumentModel
    from quant_assets.quant.simulation.strategy_windows.reading import execution_of

    model = execution_of(loaded)
    instruments = cast("InstrumentModel", model.instrument_model)
    multipliers = instruments.lots(("any", *getattr(instruments, "by_symbol", {}))).multiplier
    return not isinstance(model.fx_model, NoFx) or bool((multipliers != 1.0).any())
