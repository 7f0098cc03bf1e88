"""The stage `alpha_features`: every discovered feature on one window of bars."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from quant_assets.contracts.alpha_features import AlphaFeatures
from quant_assets.core.context import AlphaContext
from quant_assets.core.errors import PluginError
from quant_assets.core.registry import discover
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.features.base import Feature, FeatureInputs
from quant_assets.quant.features.derivatives import (
    Rows,
    funding_rates,
    liquidated,
    open_interests,
    spot_closes,
)
from quant_assets.quant.market.bars import (
    instants,
    known_at,
    recent_bars,
    rows_of_window,
    to_column,
)
from quant_assets.quant.market.panel import Floats, to_panels
from quant_assets.quant.market.returns import equal_weight_market, grid_step, simple_returns

FEATURES_PACKAGE = "quant_assets.quant.features"
PREFIX = "value_"
PANELS = ("open", "high", "low", "close", "volume")


def lookback_bars(month_bars: int) -> int:
    """Rows of history before a window that the discovered features need."""
    features = discover(FEATURES_PACKAGE, Feature).values()
    return max((feature.lookback.bars(month_bars) for feature in features), default=0)


def feature_directions() -> dict[str, int]:
    """Whether a higher value is better (+1), worse (-1) or neither (0), by feature name."""
    features = discover(FEATURES_PACKAGE, Feature)
    return {name: feature.direction for name, feature in features.items()}


def alpha_features_window(
    context: AlphaContext,
    telemetry: Telemetry,
    *,
    bars: pd.DataFrame,
    funding: pd.DataFrame,
    open_interest: pd.DataFrame,
    liquidations: pd.DataFrame,
) -> pd.DataFrame:
    """Every discovered feature on the window's bar rows, an `AlphaFeatures` frame.

    bars : history windows and the current one; only the last `lookback_bars` grid rows before the
    window are read, so more history changes nothing. Columns are `value_<feature>`, sorted by
    name. `available_at` is the latest one of all bars up to the row, because some features
    compare symbols.
    funding, open_interest, liquidations : events of the same windows; they count from their
    `available_at` on.
    """
    recent = recent_bars(bars, context.window, lookback=lookback_bars(context.alpha.month_bars))
    ts = instants(recent["ts"])
    inside = rows_of_window(ts, context.window)
    if inside.start == inside.stop:
        return AlphaFeatures.empty()
    events = Events(funding, open_interest, liquidations)
    inputs = feature_inputs(context, recent, events)
    axis = inputs.ts.to_numpy(dtype="datetime64[us]")
    shown = rows_of_window(axis, context.window)
    rows = np.searchsorted(axis[shown], ts[inside])
    symbols = recent["symbol"].iloc[inside].reset_index(drop=True)
    columns = pd.Index(inputs.symbols).get_indexer(pd.Index(symbols))
    keys = {
        "ts": to_column(ts[inside]),
        "available_at": to_column(known_at(recent)[shown][rows]),
        "symbol": symbols,
    }
    features = compute_features(inputs, n_rows=shown.stop - shown.start)
    names = [PREFIX + name for name in features]
    table = np.stack([values[rows, columns] for values in features.values()], axis=1)
    missing = np.isnan(table).mean(axis=0).tolist()
    telemetry.log_metrics("alpha_features_missing", dict(zip(names, missing, strict=True)))
    return pd.concat([pd.DataFrame(keys), pd.DataFrame(table, columns=names)], axis=1)


@dataclass(frozen=True)
class Events:
    """What happened to perpetuals beside their bars; empty frames where the venue has none."""

    funding: pd.DataFrame
    open_interest: pd.DataFrame
    liquidations: pd.DataFrame


def feature_inputs(context: AlphaContext, bars: pd.DataFrame, events: Events) -> FeatureInputs:
    """Bars and events as arrays, with returns and the equal-weight market made from them."""
    panels = to_panels(bars, list(PANELS))
    close = panels["close"]
    returns = simple_returns(close, step=grid_step(context.market))
    rows = Rows(known_at(bars), close.symbols)
    return FeatureInputs(
        **{name: panel.values for name, panel in panels.items()},
        returns=returns,
        market=equal_weight_market(returns),
        spot_close=spot_closes(close.values, close.symbols),
        funding_rate=funding_rates(rows, events.funding),
        open_interest=open_interests(rows, events.open_interest),
        liquidated_longs=liquidated(rows, events.liquidations, side="sell"),
        liquidated_shorts=liquidated(rows, events.liquidations, side="buy"),
        month_bars=context.alpha.month_bars,
        bars_per_year=context.market.bars_per_year,
        ts=close.ts,
        symbols=close.symbols,
    )


def compute_features(inputs: FeatureInputs, *, n_rows: int) -> dict[str, Floats]:
    """Values (n_rows, symbol) of every discovered feature on the last rows, by name, sorted.

    A feature is given exactly its own lookback before these rows, so that its bytes do not depend
    on which other features exist. Raises `PluginError` for a result of another shape.
    """
    values = {}
    for name, feature in discover(FEATURES_PACKAGE, Feature).items():
        own = inputs.tail(feature.lookback.bars(inputs.month_bars) + n_rows)
        result = feature().compute(own)
        if result.shape != own.close.shape:
            raise PluginError(
                f"feature {name!r} returned shape {result.shape}, expected (time, symbol) = "
                f"{own.close.shape}: mend {feature.__module__}"
            )
        values[name] = result[len(result) - n_rows :]
    return values
