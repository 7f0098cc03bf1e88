"""Which strategy is meant: a YAML file, a Python file, or a name of the library or of a folder."""

import difflib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quant_assets.core.errors import ConfigError, PluginError
from quant_assets.core.yaml_loader import load_yaml, parse_yaml

if TYPE_CHECKING:
    from quant_assets.quant.strategies.base import Strategy
    from quant_assets.quant.strategies.config import LoadedStrategy

YAML, PYTHON = (".yaml", ".yml"), ".py"
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """A strategy, where it came from, and the file's settings when it came from YAML."""

    strategy: "Strategy"
    source: str
    loaded: "LoadedStrategy | None" = None

    @property
    def strategy_hash(self) -> str:
        """Hash of logic and settings."""
        if self.loaded is not None:
            return self.loaded.strategy_hash
        from quant_assets.quant.strategies.versioning import strategy_hash

        return strategy_hash(self.strategy)

    @property
    def parameters(self) -> str:
        """All parameters as YAML."""
        from quant_assets.quant.strategies.versioning import param_yaml

        return param_yaml(self.strategy)

    @property
    def param_hash(self) -> str:
        """Hash of the parameters alone."""
        from quant_assets.quant.strategies.versioning import param_hash

        return param_hash(self.strategy)


def parse_settings(words: Sequence[str]) -> dict[str, Any]:
    """`KEY=VALUE` words as a mapping; values are read as YAML."""
    found: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise ConfigError(f"{word!r}: write KEY=VALUE, for example fast=20")
        found[key] = parse_yaml(f"value: {text}\n", Path(f"<{key}>")).data["value"]
    return found


def find_target(
    name: str, *, changed: Settings | None = None, folder: Path | None = None
) -> Target:
    """The strategy of a file or name. changed : parameters by name; in YAML files dotted paths.

    folder : where strategy files are looked up by their name, too.
    """
    changed = changed or {}
    path = Path(name)
    if path.suffix in YAML:
        return _from_yaml(path, changed)
    if path.suffix == PYTHON:
        return _from_python(path, changed)
    for suffix in YAML if folder is not None else ():
        if folder is not None and (folder / f"{name}{suffix}").is_file():
            return _from_yaml(folder / f"{name}{suffix}", changed)
    return _from_library(name, changed, folder)


def _from_library(name: str, changed: Settings, folder: Path | None) -> Target:
    from quant_assets.quant.strategies.library import find_strategy, make_strategy

    try:
        kind = find_strategy(name)
    except PluginError as cause:
        raise PluginError(_unknown(name, folder)) from cause
    return Target(make_strategy(name, changed), f"library {kind.__module__.split('.')[-2]}")


def _unknown(name: str, folder: Path | None) -> str:
    """What to write instead of a name that no strategy has."""
    from quant_assets.quant.strategies.library import library_strategies

    files = [path.name for path in _strategy_files(Path())]
    named = [path.stem for path in _strategy_files(folder)] if folder is not None else []
    close = difflib.get_close_matches(name, [*library_strategies(), *named], n=1)
    close += [file for file in files if Path(file).stem == name]
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else "."
    return (
        f"no strategy {name!r} in the library{hint} `quant-assets strategy list` names them; a "
        "file ends with .yaml or .py"
    )


def _strategy_files(folder: Path) -> list[Path]:
    """Files of a folder that may hold strategies, sorted."""
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in found if path.suffix in (*YAML, PYTHON)]


def _exists(path: Path) -> None:
    """A `ConfigError` that names the closest file when there is none of that name."""
    if path.is_file():
        return
    files = [file.name for file in _strategy_files(path.parent)]
    close = difflib.get_close_matches(path.name, files, n=1)
    hint = f"; did you mean {path.parent / close[0]}?" if close else ""
    raise ConfigError(f"{path}: there is no such file{hint}")


def _from_yaml(path: Path, changed: Settings) -> Target:
    from quant_assets.quant.strategies.config import load_strategy

    _exists(path)
    if not changed:
        loaded = load_strategy(path)
        return Target(loaded.strategy, str(path), loaded)
    import yaml

    load_strategy(path)  # problems of the file itself are told with its own lines
    data = deepcopy(load_yaml(path).data)
    for key, value in changed.items():
        _put(data, key, value, path)
    loaded = load_strategy(yaml.safe_dump(data, sort_keys=False) + "\n")
    return Target(loaded.strategy, str(path), loaded)


def _put(data: Any, key: str, value: Any, path: Path) -> None:
    """Set the value at a dotted path; numbers count the entries of lists from 0."""
    *parents, last = key.split(".")
    at = data
    for step in parents:
        at = _inside(at, step, key, path)
    if isinstance(at, list):
        _inside(at, last, key, path)
        at[int(last)] = value
    elif isinstance(at, dict):
        at[last] = value
    else:
        raise ConfigError(f"{path}: {key}: there is {at!r} before {last!r}, which has no parts")


def _inside(at: Any, step: str, key: str, path: Path) -> Any:
    if isinstance(at, list) and step.isdigit() and int(step) < len(at):
        return at[int(step)]
    if isinstance(at, dict) and step in at:
        return at[step]
    known = ", ".join(map(str, at)) if isinstance(at, dict) else f"{len(at)} entries, from 0"
    raise ConfigError(f"{path}: {key}: no {step!r}; there are {known}")


def _from_python(path: Path, changed: Settings) -> Target:
    """The strategy class that a Python file defines; its module is imported, as a test would."""
    _exists(path)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or path.stem in sys.modules:
        raise ConfigError(f"{path}: a module called {path.stem!r} exists; rename the file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    from quant_assets.quant.strategies.base import Strategy

    kinds = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Strategy)
        and kind.__module__ == path.stem
        and hasattr(kind, "name")
    ]
    if len(kinds) != 1:
        found = ", ".join(kind.__name__ for kind in kinds) or "none"
        raise ConfigError(f"{path}: one strategy class with a name is needed; it has {found}")
    (kind,) = kinds
    known = [field.name for field in fields(kind)]
    unknown = sorted(set(changed) - set(known))
    if unknown:
        raise ConfigError(f"{kind.__name__} has no {', '.join(unknown)}; it has {', '.join(known)}")
    return Target(kind(**changed), str(path))
