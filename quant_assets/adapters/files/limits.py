"""How much a delivered file may cost before it is refused."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds of one delivered file.

    `unpacked_bytes` holds for one file or member and for all members of an archive together.
    `ratio` is unpacked by packed bytes; it is looked at once more than `ratio_floor` bytes came
    out, because a small file of equal rows is honestly small.
    """

    unpacked_bytes: int = 16 * 1024 * MEBIBYTE
    ratio: float = 100.0
    ratio_floor: int = 16 * MEBIBYTE
    members: int = 10_000
    columns: int = 512
    rows: int = 200_000_000


LIMITS = Limits()
