"""The step of every raw asset: ask the venue's provider for one window of one dataset.

Sessions come from the calendar that the venue names, whatever its provider.
"""

from typing import Literal

import pandas as pd

from quant_assets.adapters.calendars import calendar_version, session_bars
from quant_assets.adapters.providers.base import Dataset, Provider
from quant_assets.core.hashing import digest
from quant_assets.core.windows import Window

Delivered = Dataset | Literal["sessions"]


def fetch_window(provider: Provider, dataset: Delivered, window: Window) -> pd.DataFrame:
    """Rows of `dataset` with `window.start <= ts < window.end`, as published."""
    if dataset == "sessions":
        return session_bars(provider.venue.market, *provider.span(window))
    return provider.fetch(dataset, window)


def window_digest(provider: Provider, dataset: Delivered, window: Window) -> str:
    """SHA-256 of what the rows of this window depend on apart from code and settings."""
    if dataset == "sessions":
        return digest([calendar_version(provider.venue.market.calendar), provider.span(window)])
    return provider.source_digest(dataset, window)
