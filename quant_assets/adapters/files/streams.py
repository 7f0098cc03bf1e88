"""Read-only byte streams: one that counts and stops at limits, one over a temporary copy."""

import io
import os
import shutil
import tempfile
from typing import IO, Any, cast

from quant_assets.adapters.files.damage import decoding
from quant_assets.adapters.files.limits import Limits
from quant_assets.core.errors import DataError

BUFFER = 1 << 18


class LimitedStream(io.RawIOBase):
    """Decompressed bytes; a `DataError` names the file when a limit is passed or bytes are broken.

    `packed_bytes` is the size of the compressed form, None where there is none.
    """

    def __init__(
        self, inner: IO[bytes], *, name: str, limits: Limits, packed_bytes: int | None
    ) -> None:
        self._inner = inner
        self._file = name
        self._limits = limits
        self._packed_bytes = packed_bytes
        self._count = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` from the inner stream."""
        with decoding(self._file):
            data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        self._count += len(data)
        self._check()
        return len(data)

    def _check(self) -> None:
        limits = self._limits
        if self._count > limits.unpacked_bytes:
            raise DataError(
                f"{self._file}: more than {limits.unpacked_bytes:,} bytes when unpacked, the limit "
                "of one delivery. Cut it into smaller files."
            )
        packed = self._packed_bytes
        if packed is None or self._count <= limits.ratio_floor:
            return
        if self._count > limits.ratio * max(packed, 1):
            raise DataError(
                f"{self._file}: {packed:,} bytes unpack to more than {self._count:,}, above the "
                f"limit of {limits.ratio:g} to 1. If you trust it, unpack it yourself and deliver "
                "the unpacked file."
            )

    def close(self) -> None:
        """Close the inner stream, too."""
        self._inner.close()
        super().close()


class CopyStream(io.RawIOBase):
    """A view on a temporary copy, with a position of its own, so that several can be open."""

    def __init__(self, copy: IO[bytes]) -> None:
        self._copy = copy
        self._position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` from where this view stands."""
        data = os.pread(self._copy.fileno(), len(buffer), self._position)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move this view."""
        size = os.fstat(self._copy.fileno()).st_size
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Where this view stands."""
        return self._position


def temporary_copy(stream: IO[bytes]) -> IO[bytes]:
    """Copy a stream to a nameless temporary file, which is gone when it is closed."""
    copy = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115 - the caller's
    try:
        with stream:
            shutil.copyfileobj(stream, copy, BUFFER)
        copy.flush()
    except BaseException:
        copy.close()
        raise
    return copy


def seekable(stream: IO[bytes]) -> IO[bytes]:
    """`stream` itself when it can seek, else a temporary copy; for formats read out of order."""
    if stream.seekable():
        return stream
    copy = temporary_copy(stream)
    copy.seek(0)
    return copy


def count_bytes(stream: IO[bytes]) -> int:
    """Read to the end and tell how many bytes there were."""
    return sum(len(block) for block in iter(lambda: stream.read(BUFFER), b""))
