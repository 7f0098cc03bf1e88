"""Strategy files in the user's folder: each is read once and checked whole."""

from pathlib import Path

from quant_assets.core.errors import ConfigError
from quant_assets.quant.simulation.strategy_windows.reading import execution_of, strategy_of
from quant_assets.quant.strategies.config import LoadedStrategy, load_strategy

SUFFIXES = (".yaml", ".yml")


def load_strategies(folder: Path) -> dict[str, LoadedStrategy]:
    """All strategies of a folder by name, sorted.

    Raises `ConfigError` with every problem of every file, each with its file. A file is named after
    its strategy, and no two strategies have the same name. The execution of its backtests must be
    known.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"strategies_folder {folder} is not a folder: make it, or mend strategies_folder in "
            "settings.yaml (QUANT_ASSETS_STRATEGIES_FOLDER)"
        )
    found: dict[str, LoadedStrategy] = {}
    problems: list[str] = []
    for path in sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES):
        try:
            loaded = _load(path, found)
        except ConfigError as error:
            problems.append(str(error))
            continue
        found[loaded.settings.strategy] = loaded
    if problems:
        raise ConfigError("\n".join(problems))
    return dict(sorted(found.items()))


def _load(path: Path, others: dict[str, LoadedStrategy]) -> LoadedStrategy:
    loaded = load_strategy(path)
    name = loaded.settings.strategy
    if name != path.stem:
        raise ConfigError(
            f"{path}: the strategy is called {name!r}, its file {path.name!r}: rename one, for "
            f"example the file to {name}{path.suffix}"
        )
    if name in others:
        raise ConfigError(f"{path}: {name!r} is taken by {others[name].source}: rename one")
    try:
        strategy_of(loaded.data)
        execution_of(loaded)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return loaded
