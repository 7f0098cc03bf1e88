"""Venue files: the packaged ones and those in the user's folder."""

from pathlib import Path

from quant_assets.core.errors import ConfigError, PluginError
from quant_assets.core.venues import Venue
from quant_assets.core.yaml_loader import Located, load_yaml, validate

SUFFIXES = (".yaml", ".yml")


def packaged_folder() -> Path:
    """Give the folder of the venue files that come with the package: copy one to begin your own."""
    return Path(__file__).resolve().parent


def load_venues(user_folder: Path | None) -> dict[str, Venue]:
    """All venues by name, sorted: the packaged ones and `*.yaml`, `*.yml` of `user_folder`.

    Raises `ConfigError` with every problem of every file, each with file and line. A file is named
    after its venue, and no two venues have the same name, small and capital letters being equal.
    """
    files = _venue_files(packaged_folder())
    if user_folder is not None:
        files += _user_files(user_folder)
    venues: dict[str, Venue] = {}
    owners: dict[str, Path] = {}
    found: list[str] = []
    for path in files:
        try:
            venue = _load(path, owners)
        except ConfigError as error:
            found.append(str(error))
            continue
        venues[venue.name] = venue
    if found:
        raise ConfigError("\n".join(found))
    return dict(sorted(venues.items()))


def _user_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ConfigError(
            f"venues_folder {folder} is not a folder: make it, or mend venues_folder in "
            "settings.yaml (QUANT_ASSETS_VENUES_FOLDER)"
        )
    return _venue_files(folder)


def _venue_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)


def _load(path: Path, owners: dict[str, Path]) -> Venue:
    located = load_yaml(path)
    venue = validate(located, Venue)
    where = f"{path}:{located.line(('name',))}: name"
    if venue.name != path.stem:
        raise ConfigError(
            f"{where}: the venue is called {venue.name!r}, its file {path.name!r}: "
            f"rename one, for example the file to {venue.name}.yaml"
        )
    owner = owners.setdefault(venue.name.casefold(), path)
    if owner != path:
        raise ConfigError(f"{where}: {venue.name!r} is taken by {owner}: choose another name")
    if path.parent != packaged_folder():
        _check_provider(located, venue)
    return venue


def _check_provider(located: Located, venue: Venue) -> None:
    """Errors in the provider's name and settings, with the lines that only the file knows."""
    from quant_assets.adapters.providers.base import provider_class  # with pandera, 0.2 s

    keys = ("provider", "name")
    try:
        provider = provider_class(venue.provider.name)
    except PluginError as error:
        place = f"{located.path}:{located.line(keys)}"
        raise ConfigError(f"{place}: {'.'.join(keys)}: {error}") from error
    validate(located, provider.settings_model, under=("provider", "settings"))
