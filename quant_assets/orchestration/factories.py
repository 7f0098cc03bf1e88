"""Assets made from files: each strategy of the user's folder becomes a group of its own.

The group has the strategy's name, and so begin the names of its assets. Its parameters are the
default of a context of its own, so that a changed file makes these cells stale and no others; the
code digest covers the plug-ins that the strategy names.
"""

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, cast

import dagster as dg

from quant_assets.contracts.strategy_leaks import StrategyLeaks
from quant_assets.contracts.strategy_runs import StrategyRuns
from quant_assets.core.clock import utc_now
from quant_assets.core.context import StageContext, StrategyContext, WalkForwardContext
from quant_assets.core.errors import ConfigError
from quant_assets.core.venues import Venue
from quant_assets.orchestration.cells import CellSpec, window_asset
from quant_assets.orchestration.partitions import (
    History,
    previous_window,
    this_window,
    venue_partitions,
    whole_venue,
)
from quant_assets.orchestration.strategy_history import counted_before
from quant_assets.orchestration.walk import Handle, walk
from quant_assets.orchestration.workspace import Workspace, current_workspace
from quant_assets.quant.leaks.strategy_venue import strategy_leaks_venue
from quant_assets.quant.simulation.strategy_windows.history import enough_history
from quant_assets.quant.simulation.strategy_windows.reading import (
    execution_of,
    unfit_execution,
    unfit_length,
)
from quant_assets.quant.simulation.strategy_windows.stage import (
    WINDOW_FRAMES,
    strategy_window,
)
from quant_assets.quant.strategies.config import LoadedStrategy
from quant_assets.quant.strategies.versioning import modules_of
from quant_assets.quant.tuning.objectives.base import OBJECTIVES
from quant_assets.quant.tuning.searches.base import SEARCHES
from quant_assets.quant.tuning.strategy_runs import strategy_runs_and_paths
from quant_assets.quant.tuning.strategy_windows import (
    WALK_FRAMES,
    enough_training,
    walk_forward_window,
)
from quant_assets.storage.paths import Cell
from quant_assets.storage.trial_store import TrialFiles

Body = Callable[..., Any]
PILLARS = {info.name for info in iter_modules([str(Path(__file__).parent.parent / "defs")])}
EXECUTION = "quant_assets.quant.simulation.execution"
RESERVED = {"_walk": "walk-forward", "_marks": "marked account"}
ALWAYS_USED = (f"{EXECUTION}.event_kernel.loop", f"{EXECUTION}.funding.assume_zero")


def whole_history() -> History:
    """All windows from the first of the grid to the cell's own."""

    def windows(_venue: Venue) -> int:
        grid = current_workspace().grid
        last = grid.key_at(grid.end or utc_now().date())
        return grid.distance(grid.start.isoformat(), last)

    return History(windows, 0)


def strategy_specs(loaded: LoadedStrategy, venues: Iterable[str]) -> tuple[CellSpec, ...]:
    """The cells of one strategy: its windows, the leak check, and the run they make up."""
    name = loaded.settings.strategy
    execution = execution_of(loaded)
    shared: dict[str, Any] = {
        "group": name,
        "context": StrategyContext.of_strategy(loaded.data),
        "modules": (*ALWAYS_USED, *modules_of(loaded.strategy), *modules_of(execution)),
        "excluded": _excluded(loaded, frozenset(venues)),
    }
    state = f"{name}_state"
    members = {} if loaded.settings.backtest.members is None else {"universe": whole_history()}
    all_members = dict.fromkeys(members, this_window())  # of a venue-wide cell: all windows
    windows = CellSpec(
        outs={f"{name}_{part}": contract for part, contract in WINDOW_FRAMES.items()},
        kind="series",
        step=strategy_window,
        reads={
            "bars": whole_history(),
            "funding": whole_history(),
            **members,
            state: previous_window(),
        },
        chain=state,
        extras=counted_before,
        enough=enough_history,
        **shared,
    )
    leaks = CellSpec(
        outs={f"{name}_leaks": StrategyLeaks},
        kind="venue",
        step=strategy_leaks_venue,
        reads={"bars": this_window(), "funding": this_window(), **all_members},
        **shared,
    )
    parts = ("equity", "trades", "positions")
    walked = [] if loaded.settings.walk_forward is None else [f"walk_{part}" for part in parts]
    reads = {f"{name}_{part}": this_window() for part in (*parts, *walked)}
    runs = CellSpec(
        outs={f"{name}_runs": StrategyRuns},
        kind="venue",
        step=strategy_runs_and_paths,
        reads={
            "bars": this_window(),
            **all_members,
            **reads,
            f"{name}_leaks": whole_venue(),
        },
        **shared,
    )
    found = (windows, leaks, runs)
    if loaded.settings.walk_forward is None:
        return found
    chain = f"{name}_walk_state"
    context = {"context": WalkForwardContext.of_strategy(loaded.data)}
    tuned = CellSpec(
        outs={f"{name}_{part}": contract for part, contract in WALK_FRAMES.items()},
        kind="outcome",
        step=walk_forward_window,
        extras=kept_and_counted,
        enough=enough_training,
        reads={
            "bars": whole_history(),
            "funding": whole_history(),
            **members,
            chain: previous_window(),
        },
        chain=chain,
        plugins=(OBJECTIVES, SEARCHES),
        **shared | context,
    )
    return (*found, tuned)


def kept_trials(workspace: Workspace, context: StageContext) -> dict[str, TrialFiles]:
    """Where a walk-forward keeps its trials: with those of `quant-assets strategy sweep`.

    Cells that are made again forget none, and all count in deflated figures. Which trials were
    there before does not change a frame.
    """
    name = str(cast("StrategyContext", context).strategy["strategy"])
    return {"store": TrialFiles(workspace.store.layout.root, venue=context.venue, strategy=name)}


def kept_and_counted(workspace: Workspace, context: StageContext) -> dict[str, Any]:
    """What a walk-forward is given beside its rows; none of it changes a frame."""
    return kept_trials(workspace, context) | counted_before(workspace, context)


def _excluded(loaded: LoadedStrategy, venues: frozenset[str]) -> Callable[[Venue], str]:
    """Why a venue has no cells of a strategy: it is made for another venue or bar length."""
    name = loaded.settings.strategy
    universe = loaded.settings.backtest.universe

    def reason(venue: Venue) -> str:
        if isinstance(universe, str) and universe in venues and universe != venue.name:
            return f"{name} is made for the venue {universe}"
        unfit = unfit_length(loaded.settings, venue.market)
        if unfit:
            return f"{name} is made for bars of {unfit}"
        missing = unfit_execution(loaded, venue.market)
        return f"{name} cannot trade: {missing}" if missing else ""

    return reason


def strategy_assets(workspace: Workspace) -> list[dg.AssetsDefinition]:
    """The assets of all strategies of the user's folder; none without a folder."""
    return [asset for _, assets in _made(workspace).items() for asset in assets]


def strategy_checks(workspace: Workspace) -> list[dg.AssetChecksDefinition]:
    """One check per strategy: its verdict in the leak check."""
    return [leak_check(name) for name in _made(workspace)]


@cache
def _made(workspace: Workspace) -> dict[str, list[dg.AssetsDefinition]]:
    venues = frozenset(workspace.venues)
    for name in sorted(PILLARS & set(workspace.strategies)):
        raise ConfigError(
            f"{workspace.strategies[name].source}: {name!r} is a group of the pipeline's own "
            "assets: give the strategy another name"
        )
    for name, end in ((name, end) for name in workspace.strategies for end in RESERVED):
        if name.endswith(end):
            raise ConfigError(
                f"{workspace.strategies[name].source}: a name that ends with {end} is that of a "
                f"{RESERVED[end]} of {name.removesuffix(end)}: give the strategy another name"
            )
    return {
        name: _assets_of(loaded, strategy_specs(loaded, venues))
        for name, loaded in workspace.strategies.items()
    }


def _assets_of(loaded: LoadedStrategy, specs: tuple[CellSpec, ...]) -> list[dg.AssetsDefinition]:
    name = loaded.settings.strategy
    which = f"Strategy {name} {loaded.settings.version}"
    texts = {
        "windows": which,
        "leaks": f"{which}: verdict of the leak check on the newest bars; grain: finding.",
        "runs": f"{which}: the backtest that its windows make up, with hashes; grain: run.",
        "walk": f"{which}, its parameters chosen on the windows before each.",
    }
    made = []
    for spec, (part, text) in zip(specs, texts.items(), strict=False):
        body = _body(f"{name}_{part}", text)
        contract = next(iter(spec.outs.values())) if len(spec.outs) == 1 else None
        made.append(window_asset(spec, contract=contract)(body))
    return made


def _body(name: str, text: str) -> Body:
    """A body with a name of its own, which walks whatever its spec reads."""

    def body(context: dg.AssetExecutionContext, **handles: Handle) -> Any:
        return walk(context, **handles)

    body.__name__, body.__doc__ = name, text
    del body.__annotations__["return"]  # Dagster would ask for a type of every out
    return body


def leak_check(strategy: str) -> dg.AssetChecksDefinition:
    """An asset check that fails where the leak check does not trust the strategy."""
    asset = f"{strategy}_leaks"

    @dg.asset_check(
        asset=dg.AssetKey(asset),
        name="trusted",
        description="No decision changes when bars that were not known yet change.",
        partitions_def=venue_partitions(),
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return leak_evaluation(current_workspace(), asset, list(context.partition_keys))

    return check


def leak_evaluation(workspace: Workspace, asset: str, venues: list[str]) -> dg.AssetCheckResult:
    """Fail for every venue whose verdict is not `trusted`; a venue without bars has none."""
    judged, refused = 0, []
    for venue in venues:
        cell = Cell(asset, venue, "all")
        if workspace.store.manifest(cell) is None:
            continue
        frame = workspace.store.read(cell)
        verdicts = frame[(frame["finding"] == 0).to_numpy()]
        judged += len(verdicts)
        refused += [f"{venue}: {text}" for text in verdicts.loc[~verdicts["trusted"], "text"]]
    return dg.AssetCheckResult(
        passed=not refused,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"venues judged": judged, "not trusted": "\n".join(refused) or "none"},
    )
