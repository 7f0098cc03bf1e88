from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.parameters import plug_in
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.simulation.execution.slippage.base import SLIPPAGE, SlippageModel
from quant_assets_tests.quant.simulation.execution.bar_samples import flat_bars, random_bars

pytestmark = pytest.mark.slow


def concession(execution, bars, bar, quantity):
    """What the documented formula of the terms makes of an order in the first symbol."""
    terms, priced = execution.terms(bars).slippage, execution.priced(bars)
    found = terms.fixed
    if terms.half_spread:
        found += terms.half_spread * priced["spread"][bar, 0]
    if terms.impact:
        share = quantity / priced["average_volume"][bar, 0]
        found += terms.impact * priced["volatility"][bar, 0] * share**terms.exponent
    if terms.volume_share:
        found += terms.volume_share * (quantity / bars.volume[bar, 0]) ** 2
    return found


def with_slippage(spelling):
    return ExecutionModel(slippage_model=spelling)


def test_fixed_slippage_is_basis_points_of_the_price():
    assert concession(with_slippage({"fixed": {"bps": 5}}), random_bars(3), 2, 1.0) == 5e-4
    assert concession(with_slippage("none"), random_bars(3), 2, 1.0) == 0.0


def test_half_spread_is_half_of_the_bars_spread():
    bars = random_bars(20)
    spread = bars["spread"].copy()
    spread[3] = np.nan
    bars = replace(bars, extras={"spread": spread})
    model = with_slippage({"half_spread": {"unknown_bps": 8.0}})
    assert concession(model, bars, 2, 1.0) == 0.5 * spread[2, 0]
    assert concession(model, bars, 3, 1.0) == pytest.approx(4e-4)
    with pytest.raises(DataError, match="spread"):
        model.priced(flat_bars(3))


def test_sqrt_volume_is_the_formula_of_what_was_known_before_the_bar():
    bars, bar, quantity = random_bars(60), 41, 750.0
    returns = pd.Series(bars.close[:, 0]).pct_change()
    sigma = returns.iloc[bar - 20 : bar].std()
    usual = bars.volume[bar - 20 : bar, 0].mean()
    expected = 0.8 * sigma * (quantity / usual) ** 0.5
    model = with_slippage({"sqrt_volume": {"coefficient": 0.8}})
    assert concession(model, bars, bar, quantity) == pytest.approx(expected, rel=1e-9)
    twice = concession(model, bars, bar, 2 * quantity)
    assert twice == pytest.approx(np.sqrt(2.0) * expected, rel=1e-9)


def test_sqrt_volume_takes_what_is_known_of_gaps_and_early_bars():
    bars = random_bars(80, missing=0.2, seed=3)
    arrays = with_slippage({"sqrt_volume": {"lookback": 10}}).priced(bars)
    returns = pd.DataFrame(bars.close).pct_change(fill_method=None)
    sigma = returns.rolling(10, min_periods=2).std().shift(1).fillna(0.0)
    usual = pd.DataFrame(bars.volume).rolling(10, min_periods=1).mean().shift(1).fillna(np.inf)
    np.testing.assert_allclose(arrays["volatility"], sigma, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(arrays["average_volume"], usual, rtol=1e-9)


def test_sqrt_volume_of_unknown_or_no_volume_has_no_impact():
    bars = flat_bars(30)
    model = with_slippage("sqrt_volume")
    assert concession(model, bars, 25, 100.0) == 0.0
    assert np.isinf(model.priced(bars)["average_volume"]).all()
    assert (model.priced(bars)["volatility"] == 0.0).all()


def test_volume_share_is_ziplines_formula_and_limit():
    # zipline: 1,000 shares in a bar of 100,000 are a share of 1 %; 0.01^2 x 0.1 = 0.00001
    bars = random_bars(3)
    bars = replace(bars, volume=np.full_like(bars.volume, 100_000.0))
    model = with_slippage("volume_share")
    assert concession(model, bars, 1, 1_000.0) == pytest.approx(1e-5)
    assert model.terms(bars).fills.participation == 0.025
    tighter = ExecutionModel(
        slippage_model="volume_share", fill_model={"realistic_volume": {"participation": 0.01}}
    )
    assert tighter.terms(bars).fills.participation == 0.01


def test_several_models_add_up():
    bars = random_bars(60)
    parts = ["fixed", "half_spread", "sqrt_volume", "volume_share"]
    total = concession(with_slippage(parts), bars, 50, 200.0)
    alone = [concession(with_slippage(part), bars, 50, 200.0) for part in parts]
    assert total == pytest.approx(sum(alone), rel=1e-12)
    doubled = ExecutionModel(slippage_model=parts, slippage_scale=2.0)
    assert concession(doubled, bars, 50, 200.0) == pytest.approx(2.0 * total, rel=1e-12)


def test_models_that_contradict_each_other_are_refused():
    with pytest.raises(ConfigError, match="exponents"):
        with_slippage(["sqrt_volume", {"sqrt_volume": {"exponent": 0.6}}])
    model = with_slippage(["sqrt_volume", {"sqrt_volume": {"lookback": 5}}])
    with pytest.raises(ConfigError, match="different volatility"):
        model.priced(random_bars(30))


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ({"fixed": {"bps": -1}}, "bps is -1"),
        ({"sqrt_volume": {"coefficient": 0}}, "coefficient is 0"),
        ({"sqrt_volume": {"lookback": 1}}, "lookback is 1"),
        ({"volume_share": {"volume_limit": 2}}, "volume_limit is 2"),
    ],
)
def test_slippage_with_a_wrong_parameter_is_refused(spelling, message):
    with pytest.raises(ConfigError, match=message):
        plug_in(SLIPPAGE, SlippageModel, spelling)
