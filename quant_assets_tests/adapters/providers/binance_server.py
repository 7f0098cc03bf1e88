"""A local stand-in for Binance's REST interface; its table is a formula, its faults are ordered.

Any symbol has bars from `listed` to `now` (the last one is still open), funding every eight hours,
three milliseconds late, and open interest every five minutes.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

MINUTE, HOUR = 60_000, 3_600_000
INTERVALS = {"1m": MINUTE, "5m": 5 * MINUTE, "1h": HOUR, "1d": 24 * HOUR}
FUNDING_MS, OI_MS, LATE_MS = 8 * HOUR, 5 * MINUTE, 3


@dataclass(frozen=True)
class Reply:
    """What is sent instead of a good answer; status 0 hangs up."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0


Fault = Reply | Callable[[list[Any]], list[Any]]  # a reply of its own, or rows made fewer
HTML = Reply(body="<html><body>We will be back soon</body></html>")
TOO_MANY = Reply(body='{"code": -1003, "msg": "Too many requests; current limit is 2400."}')
CUT = Reply(body='[[1767225600000,"100.00","10', headers={"Content-Type": "application/json"})


def limited(seconds: int) -> Reply:
    return Reply(429, '{"code": -1003, "msg": "Way too many"}', {"Retry-After": str(seconds)})


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def bar(open_time: int, step: int) -> list[Any]:
    """Candle as Binance writes it; number n of its grid has open 100 + n % 50."""
    n = open_time // step % 50
    prices = (100 + n, 102 + n, 99 + n, 101 + n)
    texts = [f"{price:.2f}" for price in prices]
    volume = 10 + n
    end = open_time + step - 1
    return [open_time, *texts, f"{volume}.5", end, f"{volume * 100}.0", 7, "1.0", "100.0", "0"]


def funding_row(due: int, symbol: str) -> dict[str, Any]:
    n = due // FUNDING_MS % 10
    return {
        "symbol": symbol,
        "fundingTime": due + LATE_MS,
        "fundingRate": f"0.000{n}0000",
        "markPrice": f"{100 + n}.25",
    }


def open_interest_row(moment: int, symbol: str) -> dict[str, Any]:
    n = moment // OI_MS % 100
    return {
        "symbol": symbol,
        "sumOpenInterest": f"{1000 + n}.0",
        "sumOpenInterestValue": f"{(1000 + n) * 100}.0",
        "timestamp": moment,
    }


@dataclass
class Binance:
    """State of the server: its clock, its listing, what it does wrong next, what it was asked."""

    now: datetime
    listed: datetime
    max_rows: int = 1000
    gaps: list[tuple[datetime, datetime]] = field(default_factory=list)
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def misbehave(self, path: str, *faults: Fault) -> None:
        """Answer the next requests whose path ends in `path` with these faults, one each."""
        self.faults += [(path, fault) for fault in faults]

    def requests(self, path: str) -> list[dict[str, str]]:
        return [query for seen, query in self.asked if seen == path]

    def fault(self, path: str) -> Fault | None:
        for n, (where, _) in enumerate(self.faults):
            if path.endswith(where):
                return self.faults.pop(n)[1]
        return None

    def answer(self, path: str, query: dict[str, str]) -> Any:
        name = path.rsplit("/", 1)[-1]
        if name == "time":
            return {"serverTime": milliseconds(self.now)}
        if name == "exchangeInfo":
            return self.exchange_info(spot=path.startswith("/api/"))
        if name == "depth":
            moment = {} if path.startswith("/api/") else {"T": milliseconds(self.now) - 40}
            return {
                "lastUpdateId": 5,
                **moment,
                "bids": [["99.90", "2.0"], ["99.80", "3.0"], ["99.70", "4.0"]],
                "asks": [["100.10", "1.5"], ["100.20", "2.5"]],
            }
        return self.rows(name, query)

    def rows(self, name: str, query: dict[str, str]) -> list[Any]:
        symbol = query["symbol"]
        step = {"fundingRate": FUNDING_MS, "openInterestHist": OI_MS}.get(name)
        step = step or INTERVALS[query["interval"]]
        late = LATE_MS if name == "fundingRate" else 0
        start = max(int(query["startTime"]), milliseconds(self.listed))
        end = min(int(query["endTime"]), milliseconds(self.now))
        first = -(-(start - late) // step) * step
        limit = min(int(query["limit"]), self.max_rows)
        times = [t for t in range(first, end + 1 - late, step) if not self.in_gap(t)][:limit]
        if name == "fundingRate":
            return [funding_row(t, symbol) for t in times]
        if name == "openInterestHist":
            return [open_interest_row(t, symbol) for t in times]
        return [bar(t, step) for t in times]

    def in_gap(self, moment: int) -> bool:
        return any(milliseconds(a) <= moment < milliseconds(b) for a, b in self.gaps)

    def exchange_info(self, *, spot: bool) -> dict[str, Any]:
        common = {"status": "TRADING", "quoteAsset": "USDT", "filters": [], "orderTypes": []}
        perpetual = {
            "contractType": "PERPETUAL",
            "marginAsset": "USDT",
            "deliveryDate": 4133404800000,
            "onboardDate": milliseconds(self.listed),
        }
        own = {"isSpotTradingAllowed": True, "permissions": ["SPOT"]} if spot else perpetual
        symbols = [
            {"symbol": f"{base}USDT", "baseAsset": base, **common, **own}
            for base in ("BTC", "ETH", "1000PEPE")
        ]
        return {"timezone": "UTC", "serverTime": milliseconds(self.now), "symbols": symbols}


@contextmanager
def serve(now: datetime, listed: datetime = datetime(2020, 1, 1, tzinfo=UTC)) -> Iterator[Binance]:
    """The server on a free port of this machine, until the block ends."""
    state = Binance(now, listed)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            state.asked.append((parts.path, query))
            fault = state.fault(parts.path)
            if isinstance(fault, Reply):
                time.sleep(fault.wait)
                if fault.status == 0:
                    return None
                return self.send(fault.status, fault.body, fault.headers)
            answer = state.answer(parts.path, query)
            if fault is not None:
                answer = fault(answer)
            return self.send(200, json.dumps(answer), {"Content-Type": "application/json"})

        def send(self, status: int, body: str, headers: dict[str, str]) -> None:
            content = body.encode()
            self.send_response(status)
            for name, value in {"Content-Type": "text/html", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(ConnectionError):  # of a client that did not wait
                self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Tests are quiet."""

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
        thread.join(timedelta(seconds=5).total_seconds())
