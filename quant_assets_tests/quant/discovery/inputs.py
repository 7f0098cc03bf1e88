"""Screen inputs from plain arrays."""

import numpy as np
import pandas as pd

from quant_assets.core.venues import DiscoveryParameters
from quant_assets.quant.discovery.base import ScreenInputs
from quant_assets.quant.market.panel import Panel


def make_inputs(
    close: object,
    *,
    volume: object = None,
    returns: object = None,
    symbols: tuple[str, ...] | None = None,
    listed: list[bool] | None = None,
    eligible: list[bool] | None = None,
    has_volume: bool = True,
    bars_per_year: int = 252,
    **rules: object,
) -> ScreenInputs:
    """Columns are symbols A, B, …; volume is 1 and all are listed and eligible unless given."""
    close = np.asarray(close, dtype=np.float64)
    close = close if close.ndim == 2 else close[:, None]
    symbols = symbols or tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: close.shape[1]])
    ts = pd.date_range("2020-01-01", periods=len(close), freq="D", tz="UTC")
    if returns is None:
        returns = pd.DataFrame(close).pct_change(fill_method=None).to_numpy()
    volume = np.ones(close.shape) if volume is None else np.asarray(volume, dtype=np.float64)
    listed = np.ones(len(symbols), dtype=bool) if listed is None else np.asarray(listed)
    return ScreenInputs(
        close=Panel(close, ts, symbols),
        returns=Panel(np.asarray(returns, dtype=np.float64).reshape(close.shape), ts, symbols),
        volume=Panel(volume.reshape(close.shape), ts, symbols),
        listed=listed,
        eligible=listed if eligible is None else np.asarray(eligible),
        has_volume=has_volume,
        bars_per_year=bars_per_year,
        parameters=DiscoveryParameters(**rules),
    )


def random_closes(n_times: int, n_symbols: int, *, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return 100.0 * np.exp(np.cumsum(generator.normal(0.0, 0.02, (n_times, n_symbols)), axis=0))
