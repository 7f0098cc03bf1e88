"""Alerts: one file and one message per cause, counted after that, ended when it works again."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from quant_assets.operations.alerts import Alerts, Event, alerts_of, webhook

VARIABLE = "TEST_ALERT_WEBHOOK"
FAILED = Event("binance", "bars", "DataError: file a.csv, row 3: close is negative", "run-1")


@contextmanager
def server(*codes: int) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A webhook that answers with the codes in turn (the last one for ever); what it was sent."""
    messages: list[dict[str, str]] = []
    answers = list(codes)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            messages.append(json.loads(self.rfile.read(length)))
            self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            pass

    service = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=service.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{service.server_port}/secret-token", messages
    finally:
        service.shutdown()
        service.server_close()
        thread.join()


def texts(root: Path) -> str:
    return "".join(path.read_text() for path in (root / "alerts").iterdir())


def test_same_cause_is_one_file_that_counts(tmp_path: Path):
    alerts = Alerts(tmp_path)
    assert alerts.raise_alert(FAILED)
    for number in range(2, 7):  # five retries
        assert not alerts.raise_alert(Event("binance", "bars", FAILED.cause, f"run-{number}"))
    (alert,) = alerts.all().values()
    assert (alert.seen, alert.first_run, alert.cause) == (6, "run-1", FAILED.cause)
    assert alert.ended_at is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lock held by process 12 since X", "lock held by process 999 since X"),
        (
            "run 0d9e7a52-4f0c-4a53-9c6e-5e1bb1f6a111 failed",
            "run ffffffff-4f0c-4a53-9c6e-5e1bb1f6a222 failed",
        ),
        ("at 2024-01-01T10:00:00.123Z", "at 2025-11-30T23:59:59Z"),
    ],
)
def test_run_ids_times_and_process_numbers_make_no_new_cause(one: str, other: str):
    assert Event("v", "s", one).key == Event("v", "s", other).key


@pytest.mark.parametrize(
    "other",
    [
        Event("bybit", "bars", FAILED.cause),
        Event("binance", "funding", FAILED.cause),
        Event("binance", "bars", "DataError: file a.csv, row 4: close is negative"),
        Event("binance", "bars", "bars binance|2024-01-01 is missing"),
    ],
)
def test_another_venue_stage_or_row_is_another_cause(other: Event):
    assert other.key != FAILED.key


def test_ended_alert_is_kept_and_the_next_failure_is_a_new_one(tmp_path: Path):
    alerts = Alerts(tmp_path)
    alerts.raise_alert(FAILED)
    assert alerts.end("binance", {"funding"}) == 0
    assert alerts.end("bybit", {"bars"}) == 0
    assert alerts.end("binance", {"bars"}) == 1
    (ended,) = alerts.all().values()
    assert ended.ended_at is not None
    assert alerts.raise_alert(FAILED)
    (again,) = alerts.all().values()
    assert (again.seen, again.ended_at) == (1, None)


def test_webhook_gets_one_message_per_cause_and_its_address_is_written_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with server(200) as (address, messages):
        monkeypatch.setenv(VARIABLE, address)
        alerts = alerts_of(tmp_path, VARIABLE)
        for _ in range(3):
            alerts.raise_alert(FAILED)
    (message,) = messages
    assert message["text"] == f"quant_assets: binance bars: {FAILED.cause}"
    assert (message["venue"], message["stage"], message["run"]) == ("binance", "bars", "run-1")
    (alert,) = alerts.all().values()
    assert alert.sent_at is not None
    assert "secret" not in texts(tmp_path)


def test_message_that_was_not_taken_is_sent_again_ever_more_rarely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with server(500, 500, 200) as (address, messages):
        monkeypatch.setenv(VARIABLE, address)
        alerts = alerts_of(tmp_path, VARIABLE)
        alerts.raise_alert(FAILED)
        (alert,) = alerts.all().values()
        assert (alert.sent_at, alert.tries) == (None, 1)
        assert alert.send_problem == f"the webhook of {VARIABLE} answered 500"
        now = datetime.now(tz=UTC)
        seconds = [(5, 1), (40, 2), (70, 2), (110, 3), (999, 3)]
        for later, tries in seconds:
            alerts.send_waiting(now + timedelta(seconds=later))
            assert len(messages) == tries, later
    (alert,) = alerts.all().values()
    assert alert.sent_at is not None
    assert alert.send_problem == ""


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/secret", "ftp://secret", "secret words"])
def test_webhook_that_cannot_be_reached_is_noted_without_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
):
    monkeypatch.setenv(VARIABLE, address)
    alerts = alerts_of(tmp_path, VARIABLE)
    assert alerts.raise_alert(FAILED)
    (alert,) = alerts.all().values()
    assert alert.sent_at is None
    assert VARIABLE in alert.send_problem
    assert "secret" not in texts(tmp_path)


def test_webhook_without_variable_or_value_is_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert webhook(None) is None
    assert webhook(VARIABLE) is None


def test_file_that_is_no_alert_is_left_alone(tmp_path: Path):
    (tmp_path / "alerts").mkdir()
    foreign = tmp_path / "alerts" / "mine.json"
    foreign.write_text("{}")
    alerts = Alerts(tmp_path)
    alerts.raise_alert(FAILED)
    assert list(alerts.all()) == [FAILED.key]
    assert foreign.read_text() == "{}"


def test_secret_of_a_cause_is_neither_stored_nor_sent(tmp_path: Path):
    sent: list[dict[str, str]] = []
    alerts = Alerts(tmp_path, send=sent.append)
    cause = "ConnectionError: GET https://me:hunter2@host/x?apiKey=hunter2"
    assert alerts.raise_alert(Event("binance", "pull", cause))
    assert not alerts.raise_alert(Event("binance", "pull", cause.replace("hunter2", "hunter3")))
    assert "hunter" not in texts(tmp_path) + str(sent)
    assert alerts.end("binance", {"pull"}, but=[cause]) == 0
    assert alerts.end("binance", {"pull"}) == 1
