"""What the rows of one delivery are judged by: facts of the venue and of the delivery."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue

MAX_SHARE = 0.01


@dataclass(frozen=True)
class RowRules:
    """Venue and delivery, as far as rows are concerned.

    file : name of the file as delivered; every doubt and every error carries it.
    received_at : when the delivery came in; what it could not know yet is never stored.
    first, last : days of the venue's history, both included; None for a venue that goes on.
    price_fields : columns of the bars that the venue offers; the prices among them must be there.
    tick_size : price step that open and close may lie outside high and low. None: the last decimal
        place that the symbol's prices in this delivery use, at most 0.1 % of the price.
    max_share : share of the rows above which a kind of doubt is the whole delivery's error; a
        single row never is.
    """

    venue: str
    file: str
    received_at: datetime
    bar_length: timedelta
    publication_delay: timedelta
    first: date
    last: date | None
    calendar: str
    price_fields: tuple[str, ...]
    tick_size: float | None = None
    max_share: float = MAX_SHARE

    def __post_init__(self) -> None:
        if self.received_at.tzinfo is None:
            raise DataError(
                f"{self.file}: received_at {self.received_at} has no time zone: pass an aware time"
            )

    @classmethod
    def of(
        cls, venue: Venue, *, file: str, received_at: datetime, tick_size: float | None = None
    ) -> "RowRules":
        """Rules of a delivery `file` to `venue`, received at an aware `received_at`."""
        market = venue.market
        return cls(
            venue=venue.name,
            file=file,
            received_at=received_at,
            bar_length=market.bar_length,
            publication_delay=market.publication_delay,
            first=venue.history.first,
            last=venue.history.last,
            calendar=market.calendar,
            price_fields=tuple(market.price_fields),
            tick_size=tick_size,
        )

    def allowed(self, n_rows: int) -> int:
        """How many of `n_rows` rows may be wrong in one way before the delivery is refused."""
        return max(1, int(self.max_share * n_rows))

    @property
    def begins(self) -> datetime:
        """First instant of the venue's history."""
        return datetime.combine(self.first, time(), tzinfo=UTC)

    @property
    def ends(self) -> datetime | None:
        """First instant after the venue's history, None for a venue that goes on."""
        if self.last is None:
            return None
        return datetime.combine(self.last, time(), tzinfo=UTC) + timedelta(days=1)
