"""The stage on frames."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.alpha_features import AlphaFeatures
from quant_assets.contracts.bars import Bars
from quant_assets.contracts.funding import Funding
from quant_assets.contracts.liquidations import Liquidations
from quant_assets.contracts.open_interest import OpenInterest
from quant_assets.core.errors import PluginError
from quant_assets.core.registry import discover
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.features import stage
from quant_assets.quant.features.base import Feature, Months
from quant_assets.quant.features.stage import (
    FEATURES_PACKAGE,
    alpha_features_window,
    compute_features,
    lookback_bars,
)
from quant_assets_tests.quant.features.arrays import make_inputs, random_closes
from quant_assets_tests.quant.market.frames import alpha, bars_frame, random_bars, window

NAMES = sorted(discover(FEATURES_PACKAGE, Feature))
NO_EVENTS = {
    "funding": Funding.empty(),
    "open_interest": OpenInterest.empty(),
    "liquidations": Liquidations.empty(),
}


def make(bars, *, month_bars=2, **market):
    context = alpha(month_bars=month_bars, **market)
    frame = alpha_features_window(context, NullTelemetry(), bars=bars, **NO_EVENTS)
    return AlphaFeatures.check_frame(frame, where="features")


def test_columns_are_the_discovered_features_sorted_by_name():
    frame = make(random_bars(60, 3, start="2020-01-01"))
    assert list(frame.columns) == ["ts", "available_at", "symbol", *[f"value_{n}" for n in NAMES]]


def test_lookback_is_the_longest_of_all_features():
    assert lookback_bars(21) == 252
    assert lookback_bars(1) == 12


def test_rows_are_the_bar_rows_of_the_window():
    bars = random_bars(60, 4, missing=0.2, start="2020-01-10")
    frame = make(bars)
    inside = bars[(bars.ts >= window().start) & (bars.ts < window().end)].reset_index(drop=True)
    pd.testing.assert_frame_equal(frame[["ts", "symbol"]], inside[["ts", "symbol"]])


def test_values_equal_the_features_on_arrays():
    bars = random_bars(60, 4, start="2020-01-05", seed=2)
    tables = {
        name: bars.pivot_table(index="ts", columns="symbol", values=name)
        for name in ("open", "high", "low", "close", "volume")
    }
    close = tables["close"]
    inputs = make_inputs(month_bars=2, **{n: table.to_numpy() for n, table in tables.items()})
    frame, features = make(bars), discover(FEATURES_PACKAGE, Feature)
    rows = close.index.get_indexer(frame.ts)
    columns = close.columns.get_indexer(frame.symbol)
    for name in NAMES:
        expected = features[name]().compute(inputs)[rows, columns]
        np.testing.assert_allclose(frame[f"value_{name}"], expected, rtol=1e-9, err_msg=name)


def test_more_history_than_the_lookback_changes_no_bit():
    bars = random_bars(120, 4, missing=0.02, start="2019-11-20", seed=6)
    short = bars[bars.ts >= pd.Timestamp("2020-01-08", tz="UTC")].reset_index(drop=True)
    assert short.ts.nunique() < bars.ts.nunique()
    pd.testing.assert_frame_equal(make(bars), make(short), check_exact=True)


def test_warm_up_is_missing_and_never_zero():
    frame = make(random_bars(20, 2, start="2020-02-01"))
    values = frame.filter(like="value_").to_numpy().reshape(20, 2, -1)
    lookbacks = {n: f.lookback.bars(2) for n, f in discover(FEATURES_PACKAGE, Feature).items()}
    for column, name in enumerate(NAMES):
        assert np.isnan(values[: lookbacks[name], :, column]).all()
    assert not np.isnan(values[24:, :, NAMES.index("beta")]).any()


def test_available_at_waits_for_every_bar_up_to_the_row():
    bars = random_bars(40, 2, start="2020-01-20")
    late = pd.Timestamp("2020-02-03 12:00", tz="UTC")
    bars.loc[bars.ts == pd.Timestamp("2020-01-31", tz="UTC"), "available_at"] = late
    known = make(bars).groupby("ts").available_at.max()
    assert known.iloc[:2].tolist() == [late, late]
    assert known.iloc[2] == pd.Timestamp("2020-02-04", tz="UTC")


def test_no_bars_in_the_window_give_the_empty_contract():
    assert len(make(Bars.empty())) == 0
    assert len(make(random_bars(10, 2, start="2020-01-01"))) == 0


def test_telemetry_counts_what_is_missing():
    telemetry = RecordingTelemetry()
    bars = bars_frame({"A": [1.0] * 4})
    alpha_features_window(alpha(month_bars=1), telemetry, bars=bars, **NO_EVENTS)
    row = telemetry.rows[0]
    assert row["scope"] == "alpha_features_missing"
    assert row["value_reversal_1m"] == 0.25
    assert row["value_beta"] == 1.0


class Transposed(Feature):
    """Returns the wrong shape."""

    name: ClassVar[str] = "transposed"
    lookback: ClassVar[Months] = Months(1)

    def compute(self, inputs):
        return inputs.close.T


def test_feature_with_another_shape_is_named(monkeypatch):
    monkeypatch.setattr(stage, "discover", lambda *_: {"transposed": Transposed})
    with pytest.raises(PluginError, match=r"'transposed' returned shape \(2, 6\).*test_stage"):
        compute_features(make_inputs(random_closes(9, 2)), n_rows=5)
