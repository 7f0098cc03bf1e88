"""The names of the columns of a feather file (version 2), from its beginning."""

import pyarrow as pa

from quant_assets.adapters.files.damage import decoding
from quant_assets.adapters.layouts.base import SourceFile
from quant_assets.core.errors import DataError

_MAGIC = b"ARROW1\x00\x00"


def feather_columns(file: SourceFile) -> list[str]:
    """Names in order; none when it is another file, or its beginning is damaged."""
    head = file.head
    if not head.startswith(_MAGIC):
        return []
    try:
        with decoding(file.name):
            return list(pa.ipc.read_schema(pa.BufferReader(head[len(_MAGIC) :])).names)
    except DataError:
        return []
