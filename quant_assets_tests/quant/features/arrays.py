"""Arrays that feature tests share."""

import numpy as np
import pandas as pd

from quant_assets.quant.features.base import FeatureInputs


def pct_change(close: np.ndarray) -> np.ndarray:
    """Simple returns by pandas, the independent oracle."""
    return pd.DataFrame(close).pct_change(fill_method=None).to_numpy()


def make_inputs(
    close: np.ndarray,
    *,
    month_bars: int = 1,
    bars_per_year: int = 252,
    high: np.ndarray | None = None,
    **known: np.ndarray,
) -> FeatureInputs:
    """Inputs from closes (time, symbol) or (time,); the other series are missing unless given."""
    close = np.asarray(close, dtype=np.float64)
    close = close if close.ndim == 2 else close[:, None]
    returns = pct_change(close)
    if high is not None:
        known["high"] = np.asarray(high, dtype=np.float64).reshape(close.shape)
    return FeatureInputs.of(
        **known,
        close=close,
        returns=returns,
        market=pd.DataFrame(returns).mean(axis=1).to_numpy(),
        month_bars=month_bars,
        bars_per_year=bars_per_year,
        ts=pd.date_range("2020-01-01", periods=len(close), freq="D", tz="UTC"),
        symbols=tuple(f"S{column}" for column in range(close.shape[1])),
    )


def random_closes(
    n_times: int, n_symbols: int, *, seed: int = 0, scale: float = 100.0, missing: float = 0.0
) -> np.ndarray:
    """Random walks of 2 % a bar; a share `missing` of the closes is NaN."""
    generator = np.random.default_rng(seed)
    steps = generator.normal(0.0005, 0.02, (n_times, n_symbols))
    close = scale * np.exp(np.cumsum(steps, axis=0))
    close[generator.random(close.shape) < missing] = np.nan
    return close
