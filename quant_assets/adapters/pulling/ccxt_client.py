"""One exchange through ccxt: asked politely, again after a failure, and believed only in JSON.

ccxt hands on whatever the exchange sent when that is no JSON (an error page or half an answer would
be read letter by letter, as candles without a time) and drops rows without a time in silence, as if
they had never been sent. `_guarded` refuses both.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import urlsplit

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.venues import Duration, format_duration

INSTALL = 'pip install "quant_assets[crypto]"'
_SHOWN = 200  # characters of an exchange's own words in a message
_FIRST_WAIT_SECONDS = 1.0


class ClientSettings(Protocol):
    """What the client needs to know of the provider's settings."""

    @property
    def exchange(self) -> str:
        """Id of the exchange in ccxt."""

    @property
    def time_out(self) -> Duration:
        """How long one answer may take to begin, and to go on."""

    @property
    def attempts(self) -> int:
        """How often one thing is asked at most."""

    @property
    def patience(self) -> Duration:
        """The longest wait between two attempts."""

    @property
    def requests_per_minute(self) -> float | None:
        """None: what ccxt knows of the exchange."""

    @property
    def base_url(self) -> str | None:
        """A stand-in for all hosts of the exchange."""

    @property
    def options(self) -> dict[str, Any]:
        """The exchange's options in ccxt."""


@dataclass
class CcxtClient:
    """Asks one exchange; errors name the venue and what was asked."""

    venue: str
    settings: ClientSettings
    sleep: Callable[[float], None] = field(default=time.sleep)

    @cached_property
    def exchange(self) -> Any:
        """The ccxt exchange; its markets are not loaded yet."""
        ccxt = _ccxt(self.venue)
        settings = self.settings
        if settings.exchange not in ccxt.exchanges:
            raise ConfigError(
                f"venue {self.venue}: provider.settings.exchange: {settings.exchange!r} is not "
                f"among the {len(ccxt.exchanges)} exchanges of ccxt {ccxt.__version__}"
            )
        config: dict[str, Any] = {
            "enableRateLimit": True,
            "timeout": int(settings.time_out.total_seconds() * 1000),
            "options": settings.options,
        }
        if settings.requests_per_minute is not None:
            config["rateLimit"] = 60_000 / settings.requests_per_minute
        exchange = _guarded(getattr(ccxt, settings.exchange))(config)
        if settings.base_url is not None:
            exchange.urls["api"] = _moved(exchange.urls["api"], settings.base_url.rstrip("/"))
        return exchange

    def ask(self, what: object, method: str, *arguments: Any) -> Any:
        """Answer of one ccxt method; `DataError` about `what` when there is no good one."""
        ccxt = _ccxt(self.venue)
        call = getattr(self.exchange, method)
        try:
            return self._retrying(ccxt)(call, *arguments)
        except ccxt.BaseError as error:
            raise self.refusal(what, f"{type(error).__name__}: {error}", self._advice(error)) from (
                error
            )
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            # raised inside ccxt by JSON that is not shaped as the exchange documents it
            cause = f"its answer is not understood ({type(error).__name__}: {error})"
            raise self.refusal(what, cause, "Pull again later, or update ccxt") from error

    def content(self) -> bytes:
        """Text of the last answer, as it was sent."""
        return str(self.exchange.last_http_response or "").encode()

    def server_time(self, what: object) -> datetime:
        """The exchange's own clock: the local one may run ahead and take an open bar for closed."""
        milliseconds = self.ask(what, "fetch_time")
        if not isinstance(milliseconds, int):
            raise self.refusal(what, f"its clock says {milliseconds!r}", "Pull again later")
        return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)

    def refusal(self, what: object, cause: str, advice: str) -> DataError:
        """Make the error about an answer that is not taken."""
        words = " ".join(cause.split())
        shown = words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"
        return DataError(
            f"venue {self.venue}: {self.settings.exchange}: {what}: {shown}. {advice}. "
            "Nothing of this answer was kept; pages that were confirmed before it are."
        )

    def _retrying(self, ccxt: Any) -> Any:
        import tenacity

        patience = self.settings.patience.total_seconds()
        enough = tenacity.stop_after_attempt(self.settings.attempts)
        backoff = tenacity.wait_exponential(multiplier=_FIRST_WAIT_SECONDS, max=patience)
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(ccxt.OperationFailed),
            stop=lambda state: enough(state) or self._asked_to_wait() > patience,
            wait=lambda state: max(backoff(state), self._asked_to_wait()),
            sleep=self.sleep,
            reraise=True,
        )

    def _asked_to_wait(self) -> float:
        """Seconds of the last answer's Retry-After, as a number or as a date; 0 without one."""
        from urllib3.exceptions import InvalidHeader
        from urllib3.util import Retry

        value = (self.exchange.last_response_headers or {}).get("Retry-After")
        try:
            return 0.0 if value is None else float(Retry().parse_retry_after(value))
        except InvalidHeader:
            return 0.0

    def _advice(self, error: Exception) -> str:
        ccxt = _ccxt(self.venue)
        waits = self._asked_to_wait()
        after = f"in {waits:.0f} s" if waits else "in some minutes"
        limit = format_duration(self.settings.time_out)
        reasons: list[tuple[tuple[Any, ...], str]] = [
            (
                (ccxt.RateLimitExceeded, ccxt.DDoSProtection),
                f"It was asked too often: pull again {after}, or set a lower "
                "provider.settings.requests_per_minute",
            ),
            (
                (ccxt.RequestTimeout,),
                f"It did not answer within {limit}: pull again later, or raise "
                "provider.settings.time_out",
            ),
            ((ccxt.BadResponse,), "The answer is an error page or was cut: pull again later"),
            ((ccxt.NetworkError,), "Check that the network reaches the exchange and pull again"),
            (
                (ccxt.BadRequest, ccxt.NotSupported),
                "Look at provider.settings (symbols, datasets, page_rows) and market.bar_length",
            ),
        ]
        for classes, advice in reasons:
            if isinstance(error, classes):
                return advice
        return "Pull again later; when it says the same again, look at provider.settings"


def _ccxt(venue: str) -> Any:
    try:
        import ccxt
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"venue {venue}: pulling needs the package {error.name}: {INSTALL}"
        ) from error
    return ccxt


def _guarded(exchange: Any) -> Any:
    """The exchange's class, refusing answers that are no JSON and forgetting old headers."""
    ccxt = _ccxt("")

    class Guarded(exchange):  # type: ignore[misc] # ccxt has no types
        def fetch(
            self, url: str, method: str = "GET", headers: Any = None, body: Any = None
        ) -> Any:
            self.last_response_headers = None
            answer = super().fetch(url, method, headers, body)
            if not isinstance(answer, list | dict):
                raise ccxt.BadResponse(f"{url} sent no JSON but {str(answer)[:80]!r}")
            return answer

        def filter_by_since_limit(self, array: Any, *rest: Any, **more: Any) -> Any:
            _all_timed(ccxt, array)
            return super().filter_by_since_limit(array, *rest, **more)

        def filter_by_value_since_limit(self, array: Any, *rest: Any, **more: Any) -> Any:
            _all_timed(ccxt, array)
            return super().filter_by_value_since_limit(array, *rest, **more)

    return Guarded


def _all_timed(ccxt: Any, rows: Any) -> None:
    """Refuse rows (candles or records, as ccxt parsed them) of which one has no time."""
    for number, row in enumerate(rows or [], start=1):
        moment = row["timestamp"] if isinstance(row, dict) else row[0]
        if type(moment) is not int:
            raise ccxt.BadResponse(f"row {number} of {len(rows)} has no time but {moment!r}")


def _moved(urls: Any, base: str) -> Any:
    """The same addresses under another host; each keeps its path."""
    if isinstance(urls, dict):
        return {key: _moved(url, base) for key, url in urls.items()}
    return base + urlsplit(urls).path if isinstance(urls, str) else urls
