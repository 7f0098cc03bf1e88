"""Small made-up markets and contexts for the tests of the synthesis room."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from quant_assets.core.context import AlphaContext, SynthesisContext
from quant_assets.core.venues import AlphaParameters, Market, SynthesisParameters
from quant_assets.core.windows import Window
from quant_assets.quant.features.stage import feature_directions
from quant_assets.quant.synthesis.signals.base import SignalInputs

START = datetime(2020, 3, 1, tzinfo=UTC)
WINDOW = Window(key="2020-03-01", start=START, end=datetime(2020, 4, 1, tzinfo=UTC))
MARKET = Market(
    asset_class="equity",
    currency="USD",
    calendar="XNYS",
    time_zone="America/New_York",
    bar_length="1d",
    bars_per_year=252,
    price_fields=["close"],
)
CELL = {"venue": "made_up", "window": WINDOW, "market": MARKET}


def alpha_context(decided_at=START, **alpha):
    parameters = AlphaParameters(**{"month_bars": 21, "mps_weights": {}, **alpha})
    return AlphaContext(**CELL, decided_at=decided_at, alpha=parameters)


def synthesis_context(**synthesis):
    parameters = SynthesisParameters(**synthesis)
    return SynthesisContext(**CELL, decided_at=START, synthesis=parameters)


def symbols_of(count):
    return tuple(f"S{number:02d}" for number in range(count))


def bars_before(rows, end=START):
    """Open times of the `rows` daily bars that are known at `end`."""
    return pd.date_range(end=end - timedelta(days=1), periods=rows, freq="D").as_unit("us")


def long_frame(values, ts, symbols):
    """Long frame (ts, available_at, symbol, one column per entry of `values` (time, symbol))."""
    width = len(symbols)
    frame = {
        "ts": ts.repeat(width),
        "available_at": ts.repeat(width) + pd.Timedelta(days=1),
        "symbol": pd.Series(list(symbols) * len(ts), dtype="str"),
    }
    return pd.DataFrame(frame | {name: panel.ravel() for name, panel in values.items()})


def candidate_pool(symbols, rejected=(), decided_at=START):
    names = sorted([*symbols, *rejected])
    return pd.DataFrame(
        {
            "decided_at": pd.DatetimeIndex([decided_at] * len(names)).as_unit("us"),
            "symbol": pd.Series(names, dtype="str"),
            "rule": pd.Series(["min_history"] * len(names), dtype="str"),
            "value": 1.0,
            "limit": 1.0,
            "passed": [name not in rejected for name in names],
            "is_candidate": [name not in rejected for name in names],
        }
    )


def signal_inputs(features, *, history=None, returns=None, **alpha):
    """Inputs with the given latest `features`; history defaults to one row of the same values."""
    features = {name: np.asarray(values, dtype=np.float64) for name, values in features.items()}
    count = len(next(iter(features.values())))
    if history is None:
        history = {name: values[None, :] for name, values in features.items()}
    if returns is None:
        returns = np.zeros((len(next(iter(history.values()))), count))
    return SignalInputs(
        symbols=symbols_of(count),
        features=features,
        history=history,
        directions=feature_directions(),
        returns=returns,
        ts=bars_before(len(returns)),
        alpha=AlphaParameters(**{"month_bars": 21, "mps_weights": {}, **alpha}),
        bars_per_year=252,
    )


def planted_market(rows=300, count=20, *, noise=0.0, seed=0):
    """Feature `planted` orders the symbols' drifts; feature `noise` knows nothing.

    Returns (features, returns), both (time, symbol); the strength of a symbol moves slowly.
    """
    rng = np.random.default_rng(seed)
    strength = rng.permuted(np.tile(np.linspace(-1, 1, count), (rows // 50 + 1, 1)), axis=1)
    drift = np.repeat(strength, 50, axis=0)[:rows]
    returns = 0.002 * drift + noise * rng.normal(size=(rows, count))
    features = {"planted": drift, "noise": rng.normal(size=(rows, count))}
    return features, returns
