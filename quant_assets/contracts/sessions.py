"""Contract of `Sessions`."""

from typing import ClassVar

from quant_assets.contracts.base import Contract, Timestamp


class Sessions(Contract):
    """One row per bar that an exchange's calendar has room for: sessions without their breaks.

    `session` is the UTC midnight of the session's date; that the bar ought to be there is known
    when it would have been published. No rows: the venue names no calendar that is known here.
    """

    _key: ClassVar[tuple[str, ...]] = ("ts",)

    ts: Timestamp
    available_at: Timestamp
    session: Timestamp
