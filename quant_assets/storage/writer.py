"""The one writer of all bytes: temp file in the same folder, fsync, check, rename, fsync folder.

A kill at any point leaves the old file or the new one, never a mixture; what it may leave is a
temp file, which `sweep_temps` removes at the next start.
"""

import contextlib
import errno
import hashlib
import os
import platform
import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from quant_assets.core.clock import utc_now
from quant_assets.core.errors import StorageError

TEMP_MARK = ".tmp-"
COPY_BYTES = 1 << 20
FOREIGN_TEMP_SECONDS = 3600.0
LINK_ATTEMPTS = 5
FLUSHES_AT_ONCE = 8  # the file system's journal takes what is flushed together in one go
_HOST = f"{zlib.crc32(platform.node().encode()):08x}"
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_NO_LINKS = {errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}
_OPAQUE_FOLDERS = frozenset({"dagster"})  # below the root; Dagster's own, possibly huge
_MOVE = "choose another root with QUANT_ASSETS_DATA_ROOT"
_ADVICE = {
    errno.ENOSPC: f"the disk is full: free space, or {_MOVE}; then run again",
    errno.EDQUOT: "the disk quota is used up: free space, then run again",
    errno.EFBIG: "the file-size limit is too small: raise it (ulimit -f), then run again",
    errno.EROFS: f"the file system is read-only: {_MOVE}",
    errno.EACCES: f"permission denied: become the owner, or {_MOVE}",
    errno.EPERM: f"operation not permitted: become the owner, or {_MOVE}",
    errno.EMFILE: "too many open files: raise the limit (ulimit -n), then run again",
    errno.ENAMETOOLONG: f"the path is too long: {_MOVE}",
    errno.EEXIST: "a file stands where a folder must be: move that file away, then run again",
    errno.ENOTDIR: "a part of the path is a file: move that file away, then run again",
}


def storage_error(error: OSError, path: Path, *, doing: str = "write") -> StorageError:
    """A `StorageError` that says what went wrong at `path` and what to do."""
    advice = _ADVICE.get(error.errno or 0, "look at the file system, then run again")
    return StorageError(
        f"cannot {doing} {path}: {error.strerror or error}; {advice}. "
        "Everything that was stored before is unharmed."
    )


def fsync_path(path: Path) -> None:
    """Make a file's bytes durable, or the renames inside a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Create `folder` and its parents; each new entry is made durable in its own parent."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        fsync_path(path.parent)


def temp_path(folder: Path) -> Path:
    """A new name for a temp file in `folder`: it tells process and host, and has no suffix.

    Without a suffix no reader that globs for `*.json` or `*.parquet` ever sees it.
    """
    return folder / f"{TEMP_MARK}{os.getpid()}-{_HOST}-{secrets.token_hex(4)}"


def write_atomically(
    path: Path, data: bytes, *, check: Callable[[Path], None] | None = None, mode: int = 0o644
) -> None:
    """Write `data` to `path` so that readers see all of it or nothing.

    `check` may open the temp file and raise before it is published. Raises `StorageError` when
    the file system refuses; the temp file is removed and the old content stays.
    """
    group = WriteGroup()
    group.stage(path, data, check=check, mode=mode)
    group.publish()


@dataclass(frozen=True)
class _StagedFile:
    """A complete temp file that is to become `path`; files of a lower rank become so before."""

    temp: Path
    path: Path
    rank: int
    new: bool


@dataclass
class WriteGroup:
    """Files that are written now and become visible together: one flush for many is far cheaper.

    All bytes are durable before the first file gets its name. Files of one rank have their names
    durably before a file of the next rank gets its own, and within a rank they get them in the
    order in which they were staged. A kill leaves no file, or the first ones.
    """

    _files: list[_StagedFile] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._files)

    def stage(
        self,
        path: Path,
        data: bytes,
        *,
        rank: int = 0,
        new: bool = False,
        check: Callable[[Path], None] | None = None,
        mode: int = 0o644,
    ) -> None:
        """Write `data` to a temp file beside `path`; `check` may open it and raise.

        new : `path` does not exist yet and its name tells its content. If another writer makes it
            before `publish`, theirs is kept: links to it would be copies once it were replaced.

        Raises `StorageError` when the file system refuses; then this file is not staged.
        """
        temp = temp_path(path.parent)
        try:
            _write(temp, data, mode)
            if check is not None:
                check(temp)
        except OSError as error:
            _discard(temp)
            raise storage_error(error, path) from error
        except BaseException:
            _discard(temp)
            raise
        self._files.append(_StagedFile(temp, path, rank, new))

    def publish(self) -> None:
        """Make every staged file visible. On an error those that are not yet are thrown away."""
        files, self._files = self._files, []
        try:
            _flush(staged.temp for staged in files)
            for rank in sorted({staged.rank for staged in files}):
                ranked = [staged for staged in files if staged.rank == rank]
                for staged in ranked:
                    _publish(staged)
                _flush(dict.fromkeys(staged.path.parent for staged in ranked))
        except BaseException:
            for staged in files:
                _discard(staged.temp)
            raise


def _publish(staged: _StagedFile) -> None:
    try:
        if not (staged.new and _is_there(staged)):
            os.replace(staged.temp, staged.path)
    except OSError as error:
        raise storage_error(error, staged.path) from error


def _is_there(staged: _StagedFile) -> bool:
    """Give a new file its name unless another writer has; False where it must be renamed.

    That is where links are impossible, and where what has the name is no file: a link to nowhere.
    """
    try:
        os.link(staged.temp, staged.path)
    except FileExistsError:
        if not staged.path.is_file():
            return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return False
    os.unlink(staged.temp)
    return True


def _flush(paths: Iterable[Path]) -> None:
    """Make files, or the entries of folders, durable; several at once where there are several."""
    rest = list(paths)
    if len(rest) < 2:
        for path in rest:
            _flush_one(path)
        return
    with ThreadPoolExecutor(min(FLUSHES_AT_ONCE, len(rest))) as pool:
        list(pool.map(_flush_one, rest))


def _flush_one(path: Path) -> None:
    try:
        fsync_path(path)
    except OSError as error:
        raise storage_error(error, path) from error


def copy_atomically(source: Path, target: Path, *, sha256: str, mode: int = 0o444) -> bool:
    """Copy a file of any size to `target`, if what arrives has the hash `sha256`.

    Returns False, with nothing published, when it has another one: the source was changed since it
    was hashed. Raises `StorageError` when the file system refuses.
    """
    temp = temp_path(target.parent)
    try:
        make_folder(target.parent)
        digest = hashlib.sha256()
        with source.open("rb") as stream, os.fdopen(os.open(temp, _FLAGS, 0o600), "wb") as copy:
            while block := stream.read(COPY_BYTES):
                digest.update(block)
                copy.write(block)
            copy.flush()
            os.fchmod(copy.fileno(), mode)
            os.fsync(copy.fileno())
        if digest.hexdigest() != sha256:
            return False
        os.replace(temp, target)
        fsync_path(target.parent)
    except OSError as error:
        raise storage_error(error, target) from error
    finally:
        _discard(temp)
    return True


def _write(temp: Path, data: bytes, mode: int) -> None:
    try:
        handle = os.open(temp, _FLAGS, 0o600)
    except FileNotFoundError:
        make_folder(temp.parent)
        handle = os.open(temp, _FLAGS, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fchmod(handle, mode)
    finally:
        os.close(handle)


def _discard(temp: Path) -> None:
    """Remove a temp file if it can be removed; the error that led here is the one to tell."""
    with contextlib.suppress(OSError):
        temp.unlink(missing_ok=True)


def link_atomically(target: Path, link: Path) -> str | None:
    """Make `link` a hard link to `target`, replacing what was there.

    Where the file system cannot link them (another device, too many links, no such feature) a
    copy is written instead; the reason is returned, None for a true link. Renaming a link onto a
    link of the same inode does nothing: inodes are compared first, and where another process made
    that link meanwhile both names are still there.
    """
    temp = temp_path(link.parent)
    try:
        if same_file(target, link):
            return None
        if not link.parent.is_dir():
            make_folder(link.parent)
        _link(target, temp)
        os.replace(temp, link)
        _discard(temp)
    except OSError as error:
        _discard(temp)
        if error.errno not in _NO_LINKS:
            raise storage_error(error, link) from error
        reason = error.strerror or str(error)
    else:
        return None
    try:
        data = target.read_bytes()
    except OSError as error:
        raise storage_error(error, target, doing="read") from error
    write_atomically(link, data, mode=0o444)
    return reason


def _link(target: Path, temp: Path) -> None:
    """Link, again where a writer replaced the target (it was damaged) while it was looked up.

    The system then has found a file that has no name any more, and says that there is none.
    """
    for _ in range(LINK_ATTEMPTS - 1):
        try:
            os.link(target, temp)
        except FileNotFoundError:
            if not target.exists():
                raise
        else:
            return
    os.link(target, temp)


def same_file(target: Path, link: Path) -> bool:
    """True when both paths exist and are one inode."""
    try:
        return os.path.samestat(os.stat(target), os.stat(link))
    except FileNotFoundError:
        return False


def temp_files(root: Path) -> Iterator[Path]:
    """Temp files anywhere below `root`, Dagster's own folders excepted."""
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                found = list(entries)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise storage_error(error, folder, doing="list") from error
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                if folder != root or entry.name not in _OPAQUE_FOLDERS:
                    pending.append(Path(entry.path))
            elif entry.name.startswith(TEMP_MARK):
                yield Path(entry.path)


def is_stale(temp: Path) -> bool:
    """True when no living process can still be writing `temp`.

    A process number that was given to a younger process does not count as the writer; a temp file
    of another host is left alone for an hour. A link made just now has the time of change of its
    target, which may be old: what counts is when its name was given.
    """
    owner, _, rest = temp.name.removeprefix(TEMP_MARK).partition("-")
    try:
        written = temp.stat().st_ctime
    except FileNotFoundError:
        return False
    if rest.partition("-")[0] != _HOST:
        return utc_now().timestamp() - written > FOREIGN_TEMP_SECONDS
    if not owner.isdigit():
        return True
    import psutil  # 0.03 s, and few commands come here

    try:
        return bool(psutil.Process(int(owner)).create_time() > written + 1.0)
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def sweep_temps(root: Path) -> int:
    """Remove temp files whose process is gone; returns how many."""
    removed = 0
    for temp in temp_files(root):
        if is_stale(temp):
            try:
                temp.unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(error, temp, doing="remove") from error
            removed += 1
    return removed
