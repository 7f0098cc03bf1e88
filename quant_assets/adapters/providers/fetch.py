"""The step of every raw asset: ask the venue's provider for one window of one dataset."""

import pandas as pd

from quant_assets.adapters.providers.base import Dataset, Provider
from quant_assets.core.windows import Window


def fetch_window(provider: Provider, dataset: Dataset, window: Window) -> pd.DataFrame:
    """Rows of `dataset` with `window.start <= ts < window.end`, as published."""
    return provider.fetch(dataset, window)
