"""Provider `files`: what you drop into the venue's landing folder, in any known layout."""

from typing import Annotated, ClassVar

from pydantic import Field

from quant_assets.adapters.stored import StoredProvider
from quant_assets.core.venues import Strict


class FilesSettings(Strict):
    """How to read this venue's files.

    `symbols` keeps those alone; `select` keeps rows whose column has that word, for files that hold
    several venues or markets; `scale` divides prices that are published as integers; `layout` names
    the one layout to expect, where content alone could mean two.
    """

    symbols: list[str] | None = None
    select: dict[str, str] = Field(default_factory=dict)
    scale: Annotated[float, Field(gt=0)] | None = None
    layout: str | None = None


class Files(StoredProvider):
    """Every row comes from a delivered file; see `quant-assets ingest`."""

    name: ClassVar[str] = "files"
    settings_model: ClassVar[type[Strict]] = FilesSettings
    settings: FilesSettings
