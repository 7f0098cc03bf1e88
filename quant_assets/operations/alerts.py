"""One alert per cause: a file under `<data root>/alerts`, and a message to a webhook if one is set.

What fails again with the same first cause is counted in the same file and not sent again. Once the
cause is gone the alert is ended; the file stays, and the next failure is a new alert.
"""

import http.client
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from quant_assets.core.clock import timestamp, utc_now
from quant_assets.core.hashing import digest
from quant_assets.core.redaction import redact
from quant_assets.storage.locks import writer_lock
from quant_assets.storage.writer import write_atomically

TIME_OUT_SECONDS = 10.0
LOCK_SECONDS = 30.0
MOST_TRIES = 10
_FIRST_WAIT = timedelta(seconds=30)
# What differs from one failure to the next although the cause is the same.
_PASSING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*"
    r"|\b(process|waited) \d+"
    r"|\.tmp-\S+"
)


class Alert(BaseModel):
    """What is wrong, since when, how often it was seen, and whether the webhook knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    venue: str
    stage: str
    cause: str
    first_run: str = ""
    seen: int = 1
    first_at: str
    last_at: str
    ended_at: str | None = None
    sent_at: str | None = None
    tries: int = 0
    last_try_at: str | None = None
    send_problem: str = ""


@dataclass(frozen=True)
class Event:
    """Something went wrong. `cause` is the first one; `run` the run that it ended."""

    venue: str
    stage: str
    cause: str
    run: str = ""

    @property
    def key(self) -> str:
        """Digest of venue, stage and first cause, without run ids, times and process numbers."""
        cause = _PASSING.sub("…", redact(self.cause))
        return digest([self.venue, self.stage, cause])[:16]


Send = Callable[[dict[str, str]], None]


class WebhookError(Exception):
    """The webhook did not take a message; the text never holds its address."""


@dataclass(frozen=True)
class Alerts:
    """The alerts of one data root; `send` posts to the webhook, None when there is none."""

    root: Path
    send: Send | None = None

    @property
    def folder(self) -> Path:
        """One JSON file per cause."""
        return self.root / "alerts"

    def all(self) -> dict[str, Alert]:
        """Alerts by key, ended ones included; a file that is none of ours is left alone."""
        found = {}
        for path in sorted(self.folder.glob("*.json")):
            alert = _read(path)
            if alert is not None:
                found[path.stem] = alert
        return found

    def raise_alert(self, event: Event) -> bool:
        """Write the alert, or count it when it is known; True when it is new."""
        with self._lock():
            known = _read(self._path(event.key))
            now = timestamp()
            if known is not None and known.ended_at is None:
                alert = known.model_copy(update={"seen": known.seen + 1, "last_at": now})
            else:
                alert = Alert(
                    venue=event.venue,
                    stage=event.stage,
                    cause=redact(event.cause),
                    first_run=event.run,
                    first_at=now,
                    last_at=now,
                )
            self._write(event.key, self._sent(alert, utc_now()))
        return alert.seen == 1

    def end(self, venue: str, stages: Set[str], *, but: Iterable[str] = ()) -> int:
        """End the alerts of a venue's stages, because they work again; how many there were.

        `but` are causes that still hold.
        """
        ended = 0
        kept = {Event(venue, stage, cause).key for stage in stages for cause in but}
        for key, alert in self._open():
            if alert.venue == venue and alert.stage in stages and key not in kept:
                with self._lock():
                    self._write(key, alert.model_copy(update={"ended_at": timestamp()}))
                ended += 1
        return ended

    def send_waiting(self, now: datetime | None = None) -> None:
        """Try again to send what the webhook did not take, ever more rarely."""
        for key, alert in self._open():
            if self.send is None or alert.sent_at is not None:
                continue
            with self._lock():
                after = self._sent(alert, now or utc_now())
                if after != alert:
                    self._write(key, after)

    def _open(self) -> list[tuple[str, Alert]]:
        return [(key, alert) for key, alert in self.all().items() if alert.ended_at is None]

    def _sent(self, alert: Alert, now: datetime) -> Alert:
        """The alert after an attempt to send it, if one is due."""
        if self.send is None or alert.sent_at is not None or not _is_due(alert, now):
            return alert
        tried = alert.model_copy(update={"tries": alert.tries + 1, "last_try_at": timestamp(now)})
        try:
            self.send(_message(alert))
        except WebhookError as error:
            return tried.model_copy(update={"send_problem": str(error)})
        return tried.model_copy(update={"sent_at": timestamp(now), "send_problem": ""})

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def _lock(self) -> AbstractContextManager[None]:
        path = self.root / "locks" / "alerts.lock"
        return writer_lock(path, what="alerts", wait_seconds=LOCK_SECONDS)

    def _write(self, key: str, alert: Alert) -> None:
        text = json.dumps(alert.model_dump(mode="json"), indent=1)
        write_atomically(self._path(key), text.encode())


def _read(path: Path) -> Alert | None:
    try:
        return Alert.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _is_due(alert: Alert, now: datetime) -> bool:
    if alert.last_try_at is None:
        return True
    wait = _FIRST_WAIT * 2 ** (alert.tries - 1)
    return alert.tries < MOST_TRIES and now >= datetime.fromisoformat(alert.last_try_at) + wait


def _message(alert: Alert) -> dict[str, str]:
    """What is posted; `text` is what chat services show."""
    where = f"{alert.venue} {alert.stage}".strip()
    return {
        "text": f"quant_assets: {where}: {alert.cause}",
        "venue": alert.venue,
        "stage": alert.stage,
        "cause": alert.cause,
        "run": alert.first_run,
        "at": alert.first_at,
    }


def webhook(variable: str | None) -> Send | None:
    """The function that posts JSON to the address in the environment variable, if it is set.

    The address is a secret: it is read when a message is sent, and written nowhere.
    """
    if variable is None or not os.environ.get(variable):
        return None

    def send(message: dict[str, str]) -> None:
        address = os.environ.get(variable, "")
        if urlsplit(address).scheme not in ("http", "https"):
            raise WebhookError(f"{variable} is not an http(s) address")
        body = json.dumps(message).encode()
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            address, body, {"Content-Type": "application/json"}, method="POST"
        )
        try:
            urllib.request.urlopen(request, timeout=TIME_OUT_SECONDS).close()  # noqa: S310
        except urllib.error.HTTPError as error:
            raise WebhookError(f"the webhook of {variable} answered {error.code}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            kind = type(getattr(error, "reason", error)).__name__
            raise WebhookError(f"the webhook of {variable} cannot be reached ({kind})") from None

    return send


def alerts_of(root: Path, webhook_variable: str | None) -> Alerts:
    """The alerts of a data root, with its webhook if there is one."""
    return replace(Alerts(root), send=webhook(webhook_variable))
