"""A local stand-in for Yahoo: cookie, crumb and the chart interface; its faults are ordered."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
CHART = "/v8/finance/chart/"
# day, close, dividend, split ratio
Row = tuple[str, float | None, float, float]


@dataclass(frozen=True)
class Reply:
    """What is sent instead of a good answer."""

    status: int = 200
    body: str = ""
    wait: float = 0.0


HTML = Reply(body="<html><body>Will be right back...</body></html>")
TOO_MANY = Reply(429, "Edge: Too Many Requests")
CUT = Reply(body='{"chart":{"result":[{"meta":{"currency":"USD"')
NOT_FOUND = Reply(
    404,
    '{"chart":{"result":null,"error":{"code":"Not Found",'
    '"description":"No data found, symbol may be delisted"}}}',
)


@dataclass
class Yahoo:
    """State of the server: tables by ticker, what it does wrong from now on, what it was asked."""

    tables: dict[str, list[Row]]
    fault: Reply | None = None
    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def answer(self, path: str, query: dict[str, str]) -> Reply:
        """What a request is answered with."""
        self.asked.append((path, query))
        if not path.startswith(CHART):
            return Reply(body="a.crumb")
        if self.fault is not None:
            return self.fault
        table = self.tables.get(path.removeprefix(CHART))
        if table is None:
            return NOT_FOUND
        return Reply(body=json.dumps({"chart": {"result": [_chart(table, query)], "error": None}}))

    def charts(self) -> list[dict[str, str]]:
        """The questions about prices, without those about a ticker's time zone."""
        return [query for path, query in self.asked if path.startswith(CHART) and "events" in query]


def _opening(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T09:30").replace(tzinfo=NEW_YORK).timestamp())


def _chart(table: list[Row], query: dict[str, str]) -> dict[str, Any]:
    first, end = (int(query.get(name, 0)) for name in ("period1", "period2"))
    rows = [row for row in table if first <= _opening(row[0]) < end]
    stamps, closes = [_opening(row[0]) for row in rows], [row[1] for row in rows]

    def moved(by: float) -> list[float | None]:
        return [None if close is None else close + by for close in closes]

    quote = {"open": moved(-1), "high": moved(1), "low": moved(-2), "close": closes}
    volume = [None if close is None else 1000 for close in closes]
    dividends = {str(_opening(d)): {"amount": a, "date": _opening(d)} for d, _, a, _ in rows if a}
    splits = {
        str(_opening(day)): {"date": _opening(day), "numerator": ratio, "denominator": 1}
        for day, _, _, ratio in rows
        if ratio
    }
    period = {"timezone": "EDT", "start": 0, "end": 0, "gmtoffset": -14400}
    return {
        "meta": {
            "currency": "USD",
            "instrumentType": "EQUITY",
            "exchangeTimezoneName": "America/New_York",
            "gmtoffset": -14400,
            "priceHint": 2,
            "dataGranularity": "1d",
            "currentTradingPeriod": {"pre": period, "regular": period, "post": period},
            "validRanges": ["1d", "max"],
        },
        "timestamp": stamps,
        "events": {"dividends": dividends, "splits": splits},
        "indicators": {
            "quote": [quote | {"volume": volume}],
            "adjclose": [{"adjclose": moved(-10)}],
        },
    }


@contextmanager
def serve(tables: dict[str, list[Row]]) -> Iterator[Yahoo]:
    """The server on a free port of this machine, until the block ends."""
    state = Yahoo(tables)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            split = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(split.query).items()}
            reply = state.answer(split.path, query)
            time.sleep(reply.wait)
            body = reply.body.encode()
            with suppress(OSError):  # who asked may have given up
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            del arguments

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
