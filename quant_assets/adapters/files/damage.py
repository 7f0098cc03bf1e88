"""What a damaged file makes its decoders raise, turned into one error that names the file."""

import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from quant_assets.core.errors import DataError

_DAMAGE = (
    EOFError,
    OSError,
    MemoryError,
    OverflowError,
    NotImplementedError,  # a compression method that zipfile does not know
    RuntimeError,  # zipfile's word for an encrypted member
    UnicodeError,
    ValueError,  # parent of pa.ArrowInvalid
    gzip.BadGzipFile,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    pa.ArrowException,
)


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """Turn whatever a decoder of outside bytes raises into a `DataError` about file `name`."""
    try:
        yield
    except _DAMAGE as cause:
        what = str(cause).strip().split("\n")[0][:200] or type(cause).__name__
        raise DataError(
            f"{name}: cannot be read, it is cut off, damaged or protected ({what}). "
            "Fetch it again from its source, or look at it with a tool of its format."
        ) from cause
