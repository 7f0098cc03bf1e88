"""Open what was delivered: a plain file, a gzip, a zip, a tar; one archive inside another at most.

Archives are read as streams. A member's name is a label and never a path; members that are links
or devices, or whose names could lead out of a folder, make the whole archive refused.
"""

import gzip
import io
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import IO, cast

from quant_assets.adapters.files.damage import decoding
from quant_assets.adapters.files.limits import LIMITS, Limits
from quant_assets.adapters.files.streams import (
    BUFFER,
    CopyStream,
    LimitedStream,
    count_bytes,
    temporary_copy,
)
from quant_assets.core.errors import DataError

HEAD_BYTES = 65_536
MAX_NAME = 512
_GZIP, _ZIPS, _USTAR = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06"), b"ustar"
_TAR_BLOCK = 512
_ODD = re.compile(r"[\x00-\x1f\x7f\\]|^[A-Za-z]:")
_JUNK = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$)")  # written by macOS beside every member
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class OpenedFile:
    """A file or member, as `SourceFile` describes it; good until the next one is asked for.

    `path` is set for a plain file only.
    """

    name: str
    limits: Limits
    path: Path | None = None
    packed_bytes: int | None = None
    opener: Callable[[], IO[bytes]] = field(repr=False, kw_only=True)

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB of the decompressed content."""
        with self.open() as stream:
            return stream.read(HEAD_BYTES)

    def open(self) -> IO[bytes]:
        """Stream over the decompressed content; `DataError` when a limit is passed."""
        with decoding(self.name):
            stream = self.opener()
        if stream.seekable() and self.packed_bytes is None:
            return stream
        limited = LimitedStream(
            stream, name=self.name, limits=self.limits, packed_bytes=self.packed_bytes
        )
        return io.BufferedReader(limited, BUFFER)


def open_source(
    path: Path,
    *,
    name: str | None = None,
    limits: Limits = LIMITS,
    allow_empty: bool = False,
) -> Iterator[OpenedFile]:
    """Yield the files in `path`: itself, or the members of the archive that it is.

    `name` is what to call it (for example its path inside the landing folder); default: its file
    name. A file, archive or member without a byte is a `DataError`, unless `allow_empty`: then it
    is left out. So is everything that cannot be opened safely, and all that `Limits` forbids.
    """
    label = _label(name if name is not None else path.name)
    with decoding(label):
        status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{label}: not a file. Deliver files, not folders, links or devices.")
    if status.st_size > limits.unpacked_bytes:
        raise DataError(
            f"{label}: {status.st_size:,} bytes, the limit of one delivery is "
            f"{limits.unpacked_bytes:,}. Cut it into smaller files."
        )
    plain = OpenedFile(label, limits, path, opener=lambda: path.open("rb"))
    any_file = False
    for file in _unpack(plain, depth=0):
        if file.head:
            any_file = True
            yield file
        elif not allow_empty:
            raise _no_data(file.name)
    if not any_file and not allow_empty:
        raise _no_data(label)


def _no_data(name: str) -> DataError:
    return DataError(f"{name}: no data, there is nothing inside. Fetch it again from its source.")


def _label(name: str) -> str:
    """A name that is safe to print; outside characters are escaped."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in name)[:MAX_NAME]


def _unpack(file: OpenedFile, depth: int) -> Iterator[OpenedFile]:
    """The files inside `file`, or `file` itself when it is no archive; `depth` counts archives."""
    kind = _archive(file)
    if kind is None:
        yield file
        return
    if depth > 1:
        raise DataError(
            f"{file.name}: an archive inside an archive inside an archive. Unpack the outer one."
        )
    for member in kind(file):
        yield from _unpack(member, depth + 1)


def _archive(file: OpenedFile) -> Callable[[OpenedFile], Iterator[OpenedFile]] | None:
    head = file.head
    if head.startswith(_ZIPS):
        return _zip_members
    if _is_tar(head):
        return _tar_members
    return _gzip_content if head.startswith(_GZIP) else None


def _is_tar(head: bytes) -> bool:
    return head[257:262] == _USTAR and len(head) >= _TAR_BLOCK


def _gzip_content(file: OpenedFile) -> Iterator[OpenedFile]:
    """What a gzip holds: one file, or the members of a tar."""
    packed = file.packed_bytes or _size(file)
    content = OpenedFile(
        file.name,
        file.limits,
        packed_bytes=packed,
        opener=lambda: cast("IO[bytes]", gzip.GzipFile(fileobj=file.open())),
    )
    if _is_tar(content.head):
        yield from _tar_members(content)
    else:
        yield content


def _size(file: OpenedFile) -> int:
    if file.path is not None:
        return file.path.stat().st_size
    with file.open() as stream:
        return count_bytes(stream)


def _zip_members(file: OpenedFile) -> Iterator[OpenedFile]:
    with ExitStack() as stack:
        with decoding(file.name):
            stream = file.open()
            if not stream.seekable():
                stream = cast("IO[bytes]", CopyStream(stack.enter_context(temporary_copy(stream))))
            archive = stack.enter_context(zipfile.ZipFile(stack.enter_context(stream)))
            members = archive.infolist()
        _check_count(file, len(members))
        unpacked = sum(member.file_size for member in members)
        _check_total(file, unpacked)
        _check_ratio(file, unpacked)
        files = [m for m in members if not m.filename.endswith("/")]
        plain = [m for m in files if not _JUNK.search(m.filename)]
        yield from [_zip_member(file, archive, member) for member in plain]


def _zip_member(file: OpenedFile, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> OpenedFile:
    # `orig_filename` still has what follows a NUL, at which zipfile cuts the name.
    name = _member_name(file, info.orig_filename)
    mode = info.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        raise _refused(file, name, "is a link or a device")
    if info.flag_bits & _ENCRYPTED:
        raise _refused(file, name, "is protected by a password")
    return OpenedFile(
        name,
        file.limits,
        packed_bytes=info.compress_size,
        opener=partial(archive.open, info),
    )


def _tar_members(file: OpenedFile) -> Iterator[OpenedFile]:
    """Members one after the other; each is copied, because a stream cannot go back.

    All headers are looked at before the first member is given out.
    """
    for count, (_, info) in enumerate(_tar_headers(file), start=1):
        _check_count(file, count)
        _check_total(file, info.size)
        name = _member_name(file, info.name)
        if not info.isreg():
            raise _refused(file, name, "is a link or a device")
        if info.issparse():
            raise _refused(file, name, "has holes, which can be of any size")
    for archive, info in _tar_headers(file):
        name = _member_name(file, info.name)
        with decoding(name):
            content = archive.extractfile(info)
            copy = temporary_copy(cast("IO[bytes]", content))
        with copy:
            yield OpenedFile(name, file.limits, opener=partial(_view, copy))


def _view(copy: IO[bytes]) -> IO[bytes]:
    return io.BufferedReader(CopyStream(copy), BUFFER)


def _tar_headers(file: OpenedFile) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """Headers in order, without folders; the stream stands behind the header while it is out."""
    with ExitStack() as stack:
        with decoding(file.name):
            stream = stack.enter_context(file.open())
            archive = stack.enter_context(tarfile.open(fileobj=stream, mode="r|"))
        while True:
            with decoding(file.name):
                info = archive.next()
            if info is None:
                break
            archive.members = []  # type: ignore[attr-defined] # else it keeps every header
            if not info.isdir() and not _JUNK.search(info.name):
                yield archive, info
        count_bytes(stream)  # its end tells whether a compressed archive was cut off


def _member_name(file: OpenedFile, name: str) -> str:
    """`archive/member`, refusing what could lead out of a folder if ever used as a path."""
    odd = not name or len(name) > MAX_NAME or _ODD.search(name) is not None
    if odd or name.startswith("/") or ".." in name.split("/"):
        raise _refused(file, f"{file.name}/{_label(name)}", "has a name that is no plain file name")
    return f"{file.name}/{_label(name)}"


def _refused(file: OpenedFile, name: str, why: str) -> DataError:
    return DataError(
        f"{name}: this member of {file.name} {why}. Nothing of the archive was taken; pack only "
        "plain files, with relative names, and no password."
    )


def _check_count(file: OpenedFile, count: int) -> None:
    if count > file.limits.members:
        raise DataError(
            f"{file.name}: more than {file.limits.members:,} members. Cut it into smaller archives."
        )


def _check_total(file: OpenedFile, unpacked: int) -> None:
    if unpacked > file.limits.unpacked_bytes:
        raise DataError(
            f"{file.name}: unpacks to {unpacked:,} bytes, the limit of one delivery is "
            f"{file.limits.unpacked_bytes:,}. Cut it into smaller archives."
        )


def _check_ratio(file: OpenedFile, unpacked: int) -> None:
    """Members together, which can share packed bytes, against the archive's own size."""
    limits = file.limits
    if unpacked > max(limits.ratio_floor, limits.ratio * _size(file)):
        raise DataError(
            f"{file.name}: its members unpack to {unpacked:,} bytes, above the limit of "
            f"{limits.ratio:g} to 1. If you trust it, unpack it yourself and deliver the files."
        )
