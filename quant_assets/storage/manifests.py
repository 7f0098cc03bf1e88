"""A cell's manifest: what is stored, from what, by which code. Small JSON, written last.

The file ends with `"check"`, the digest of all before it, so that a flipped bit anywhere in a
manifest is noticed when it is read.
"""

import hashlib
import importlib.metadata
import json
import platform
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_serializer, field_validator

from quant_assets.core.errors import IntegrityError, StorageError
from quant_assets.core.hashing import canonical_json, digest

MANIFEST_VERSION = 2  # 1: `columns` was an object with sorted keys, so their order was lost
_PACKAGES = (
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "scikit-learn",
    "cvxpy",
    "numba",
    "quant_assets",
)
_CHECK = b',"check":"'

Kind = Literal["series", "decision", "outcome", "venue"]


class RunRecord(BaseModel):
    """The volatile part: outside the manifest's hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    written_at: str
    environment: str
    seconds: float
    telemetry: list[dict[str, Any]] = []


class Manifest(BaseModel):
    """One cell. `inputs[asset][window]` is the content hash of each object that was read.

    `fingerprint` is (code, config, source, data hashes of the inputs): while it does not change,
    the cell is not computed again. `columns` (name -> dtype, in the frame's order) are a list of
    pairs in the file; manifests of version 1 give them sorted by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = MANIFEST_VERSION
    asset: str
    venue: str
    window: str
    kind: Kind
    contract: str
    columns: dict[str, str]
    sha256: str
    data_sha256: str
    size: int
    rows: int
    first_ts: str | None = None
    last_ts: str | None = None
    available_at_max: str | None = None
    empty_reason: str = ""
    partial: bool = False
    stamps: list[str] = []
    fingerprint: str
    code_version: str
    config_digest: str
    source_digest: str = ""
    inputs: dict[str, dict[str, str]] = {}
    files: dict[str, str] = {}
    run: RunRecord

    @field_validator("columns", mode="before")
    @classmethod
    def _from_pairs(cls, value: object) -> object:
        if not isinstance(value, list):
            return value
        try:
            return dict(value)
        except TypeError as error:
            raise ValueError(f"columns are no pairs of name and dtype: {error}") from error

    @field_serializer("columns", when_used="json")
    def _to_pairs(self, columns: dict[str, str]) -> list[tuple[str, str]]:
        return list(columns.items())

    def hash(self) -> str:
        """Digest of everything but the run record."""
        return digest(self.model_dump(mode="json", exclude={"run"}, fallback=_plain))

    def to_bytes(self) -> bytes:
        """Canonical JSON, one line, closed by its own check."""
        body = canonical_json(self.model_dump(mode="json", fallback=_plain)).encode()
        return body[:-1] + _CHECK + _digest(body) + b'"}\n'

    @classmethod
    def from_bytes(cls, data: bytes, path: Path) -> Self:
        """The manifest in a file's bytes; a damaged one is an `IntegrityError` naming `path`."""
        head, mark, tail = data.rpartition(_CHECK)
        body = head + b"}"
        try:
            manifest = cls.model_validate_json(body if mark else data)
        except ValidationError as error:
            _refuse_newer(body if mark else data, path)
            raise IntegrityError(
                f"{path} is not a valid manifest ({error.error_count()} problems, first: "
                f"{error.errors()[0]['loc']} {error.errors()[0]['msg']}). Delete it and run "
                "`quant-assets backfill` to compute the cell again."
            ) from error
        if not mark:
            raise IntegrityError(
                f"{path} has no check at its end: it was cut off, edited, or written by an early "
                "version. Delete it and run `quant-assets backfill` to compute the cell again."
            )
        if tail != _digest(body) + b'"}\n':
            raise IntegrityError(
                f"{path} was changed after it was written: its check does not fit its content. "
                "Delete it and run `quant-assets backfill` to compute the cell again."
            )
        return manifest


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def _plain(value: object) -> object:
    """What JSON can hold: a numpy scalar becomes a plain one, anything else its text."""
    item = getattr(value, "item", None)
    return item() if callable(item) else str(value)


def _refuse_newer(data: bytes, path: Path) -> None:
    try:
        version = json.loads(data)["version"]
    except (ValueError, TypeError, KeyError):
        return
    if isinstance(version, int) and version > MANIFEST_VERSION:
        raise StorageError(
            f"{path} has manifest version {version}, this quant_assets reads up to "
            f"{MANIFEST_VERSION}: upgrade quant_assets, or use another data root"
        )


@cache
def environment() -> dict[str, str]:
    """Versions that could change numbers."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), "machine": platform.machine(), **versions}


@cache
def environment_digest() -> str:
    """Digest of `environment()`; `verify --replay` compares bytes only when it is equal."""
    return digest(environment())
