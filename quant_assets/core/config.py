"""One settings file: `settings.yaml` beside the work, or `QUANT_ASSETS_*` variables.

Environment variables win over the file, keyword arguments over both.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from quant_assets.core.context import Mode
from quant_assets.core.errors import ConfigError
from quant_assets.core.windows import Grid
from quant_assets.core.yaml_loader import Located, load_yaml, problems

SETTINGS_FILE = Path("settings.yaml")


class Settings(BaseSettings):
    """Everything that a user may set once for all venues."""

    model_config = SettingsConfigDict(
        env_prefix="QUANT_ASSETS_",
        env_nested_delimiter="__",
        yaml_file="settings.yaml",
        extra="forbid",
        frozen=True,
    )

    data_root: Path = Path("data")
    venues_folder: Path | None = None
    strategies_folder: Path | None = Field(
        default=None, description="strategy files that become assets; null: none"
    )
    venues: list[str] | None = Field(default=None, description="venues in the graph; null: all")
    grid: Grid = Grid()
    training_windows: Annotated[int, Field(ge=1)] = 12
    mode: Mode = "carry"
    detail: Literal["brief", "standard", "full"] = "standard"
    workers: Annotated[int, Field(ge=1)] = 1
    lock_wait_seconds: Annotated[float, Field(ge=0)] = 120.0
    cache_megabytes: Annotated[int, Field(ge=1)] = 256
    alert_webhook_variable: str | None = Field(
        default=None, description="environment variable with the address that alerts are posted to"
    )
    telemetry_sinks: list[str] = Field(
        default=[], description="sinks besides Dagster's metadata and parquet, for example mlflow"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order of precedence: arguments, environment, `settings.yaml`."""
        return init_settings, env_settings, YamlConfigSettingsSource(settings_cls)


def load_settings() -> Settings:
    """Read the settings of this process, from the environment and `settings.yaml`.

    Raises `ConfigError` with one line per problem: file and line for what the file says, else the
    setting's name; an unknown key gets a suggestion.
    """
    located = load_yaml(SETTINGS_FILE) if SETTINGS_FILE.exists() else None
    try:
        return Settings()
    except ValidationError as error:
        data = located.data if located is not None else {}
        lines = [
            f"{_place(located, problem.keys)}: {problem}"
            for problem in problems(error, Settings, data)
        ]
    raise ConfigError("\n".join(lines))


def _place(located: Located | None, keys: tuple[str | int, ...]) -> str:
    """`file:line` where the file has the key, else the environment."""
    if located is not None and keys in located.lines:
        return f"{located.path}:{located.line(keys)}"
    return "settings (QUANT_ASSETS_* variables)"
