"""Contract of `ReportFiles`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract


class ReportFiles(Contract):
    """Files that belong to a report cell, by content."""

    _key: ClassVar[tuple[str, ...]] = ("file",)

    file: str
    sha256: str
    size: int = pa.Field(ge=1)
