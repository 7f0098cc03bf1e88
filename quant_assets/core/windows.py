"""The walk-forward grid: one time axis of windows that every window asset shares.

A window is the half-open UTC span [start, end) of one partition. Its key is the first day of
its test span, `YYYY-MM-DD`. The grid is an unbounded ruler: it knows no venue and no wall clock.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from quant_assets.core.errors import ConfigError

Cadence = Literal["monthly", "weekly", "quarterly"]
_MONTHS: dict[str, int] = {"monthly": 1, "quarterly": 3}


class Window(BaseModel):
    """One window: `start` inclusive, `end` exclusive, both aware UTC datetimes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    start: datetime
    end: datetime


class Grid(BaseModel):
    """Cadence and first day of the shared partition grid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: date = date(1989, 10, 1)
    cadence: Cadence = "monthly"
    end: date | None = None

    @model_validator(mode="after")
    def _aligned(self) -> "Grid":
        for name in ("start", "end"):
            day = getattr(self, name)
            if day is not None and self._floor(day) != day:
                raise ValueError(
                    f"grid.{name} {day} does not begin a {self.cadence} window; "
                    f"the nearest earlier one is {self._floor(day)}"
                )
        return self

    def _floor(self, day: date) -> date:
        if self.cadence == "weekly":
            return day - timedelta(days=day.weekday())
        step = _MONTHS[self.cadence]
        return date(day.year, (day.month - 1) // step * step + 1, 1)

    def _move(self, day: date, count: int) -> date:
        if self.cadence == "weekly":
            return day + timedelta(weeks=count)
        month = day.year * 12 + day.month - 1 + count * _MONTHS[self.cadence]
        return date(month // 12, month % 12 + 1, 1)

    def _day(self, key: str) -> date:
        try:
            day = date.fromisoformat(key)
        except ValueError:
            raise ConfigError(f"window {key!r} is not a date; write YYYY-MM-DD") from None
        if self._floor(day) != day:
            raise ConfigError(
                f"window {key!r} does not begin a {self.cadence} window; "
                f"it lies in the window {self._floor(day).isoformat()!r}"
            )
        return day

    def key_at(self, moment: datetime | date) -> str:
        """Key of the window that contains `moment` (aware datetime, or a UTC day)."""
        if isinstance(moment, datetime):
            moment = moment.astimezone(UTC).date()
        return self._floor(moment).isoformat()

    def window(self, key: str) -> Window:
        """The window named by `key`; refuses keys that do not begin a window."""
        day = self._day(key)
        first = datetime(day.year, day.month, day.day, tzinfo=UTC)
        after = self._move(day, 1)
        return Window(
            key=key, start=first, end=datetime(after.year, after.month, after.day, tzinfo=UTC)
        )

    def shift(self, key: str, count: int) -> str:
        """Key of the window `count` windows later (negative: earlier)."""
        return self._move(self._day(key), count).isoformat()

    def between(self, first: str, last: str) -> Iterator[str]:
        """Keys from `first` to `last`, both included, in time order."""
        day, stop = self._day(first), self._day(last)
        while day <= stop:
            yield day.isoformat()
            day = self._move(day, 1)

    def distance(self, first: str, last: str) -> int:
        """Number of windows from `first` to `last` (negative when `last` is earlier)."""
        low, high = self._day(first), self._day(last)
        if self.cadence == "weekly":
            return (high - low).days // 7
        months = (high.year - low.year) * 12 + high.month - low.month
        return months // _MONTHS[self.cadence]
