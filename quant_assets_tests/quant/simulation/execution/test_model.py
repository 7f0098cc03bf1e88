import re
from dataclasses import fields, replace

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.yaml_loader import load_yaml
from quant_assets.quant.simulation.execution.commissions.interactive_brokers import (
    InteractiveBrokers,
)
from quant_assets.quant.simulation.execution.defaults import neutral_commission
from quant_assets.quant.simulation.execution.fills.next_open import NextOpen
from quant_assets.quant.simulation.execution.fills.realistic_volume import RealisticVolume
from quant_assets.quant.simulation.execution.model import PRESETS, ExecutionModel
from quant_assets.quant.simulation.execution.slippage.fixed import FixedSlippage
from quant_assets.quant.simulation.execution.slippage.sqrt_volume import SqrtVolume
from quant_assets.quant.simulation.execution.terms import NEXT_OPEN, SAME_CLOSE, FillTerms
from quant_assets_tests.quant.simulation.execution.bar_samples import (
    DAY,
    HOUR,
    flat_bars,
    random_bars,
)

DESIGN = """
fill_model: "realistic_volume"
commission_model: "interactive_brokers"
slippage_model: "sqrt_volume"
"""


def test_the_designs_yaml_is_the_model_of_its_objects(tmp_path):
    file = tmp_path / "execution.yaml"
    file.write_text(DESIGN)
    named = ExecutionModel.from_settings(load_yaml(file).data)
    assert named == ExecutionModel(
        fill_model=RealisticVolume(),
        commission_model=InteractiveBrokers(),
        slippage_model=SqrtVolume(),
    )


def test_settings_read_back_are_the_same_model():
    model = ExecutionModel(
        fill_model={"realistic_volume": {"participation": 0.02}},
        slippage_model=["fixed", {"sqrt_volume": {"coefficient": 0.5}}],
        commission_model={"interactive_brokers": {"plan": "tiered"}},
        margin_model={"binance": {"leverage": 3}},
        cash_rate=0.02,
    )
    again = ExecutionModel.from_settings(model.settings())
    assert again == model
    assert again.digest() == model.digest()


def test_digest_changes_with_any_part_and_not_with_its_spelling():
    plain = ExecutionModel()
    others = [
        replace(plain, cash_rate=0.01),
        replace(plain, fill_model="next_close"),
        replace(plain, slippage_model={"fixed": {"bps": 3.0}}),
        replace(plain, slippage_model=["fixed", "fixed"]),
        replace(plain, commission_model="none"),
        replace(plain, slippage_scale=2.0),
        replace(plain, funding_model="assume_zero"),
    ]
    assert len({model.digest() for model in (plain, *others)}) == len(others) + 1
    assert ExecutionModel(slippage_model=FixedSlippage()).digest() == plain.digest()
    assert ExecutionModel(fill_model="next_open").digest() == plain.digest()


def test_default_preset_is_the_model_without_settings():
    assert ExecutionModel.preset("default") == ExecutionModel()
    assert set(PRESETS) == {"optimistic", "default", "realistic_volume", "pessimistic"}


def test_presets_have_the_documented_numbers():
    bars = flat_bars(3)
    best = ExecutionModel.preset("optimistic").terms(bars)
    assert best.fills == (NEXT_OPEN, False, np.inf, 10, 0, True)
    assert best.slippage.fixed == 0.0
    assert best.commission.taker == neutral_commission().taker
    default = ExecutionModel.preset("default").terms(bars)
    assert default.fills == (NEXT_OPEN, False, np.inf, 10, 0, False)
    assert default.slippage.fixed == 2e-4
    assert default.commission.taker == default.commission.maker == 5e-4
    assert default.carry.borrow[0] == 0.0025
    worst = ExecutionModel.preset("pessimistic").terms(bars)
    assert worst.fills == (NEXT_OPEN, True, 0.05, 5, 1, False)
    assert (worst.slippage.fixed, worst.slippage.impact) == (5e-4, 1.0)
    assert worst.commission.taker == 1e-3
    assert worst.carry.borrow[0] == 0.01


def test_audit_changes_fills_and_slippage_and_nothing_else():
    own = ExecutionModel(commission_model="interactive_brokers", fill_model="realistic_volume")
    found = own.audit()
    assert list(found) == ["optimistic", "default", "pessimistic"]
    assert found["default"] is own
    best, worst = found["optimistic"].fills, found["pessimistic"].fills
    assert best == NextOpen(same_bar="best")
    assert worst == RealisticVolume(participation=0.05, latency=1)
    bars = flat_bars(3)
    slips = [model.terms(bars).slippage.fixed for model in found.values()]
    np.testing.assert_allclose(slips, [0.0, 2e-4, 7e-4])
    for model in found.values():
        assert model.commission_model == own.commission_model
        assert model.borrow_model == own.borrow_model


def test_audit_of_a_fill_at_the_deciding_close_moves_it_to_the_next_open():
    own = ExecutionModel(fill_model="same_close")
    assert own.assumptions() == ("market orders fill at the close that decided them",)
    assert own.audit()["optimistic"].fills.model == SAME_CLOSE
    assert own.audit()["pessimistic"].fills == NextOpen(limits="through", participation=0.05)


def test_commission_scale_multiplies_money_and_rates_and_no_tiers():
    spelled = {"interactive_brokers": {"plan": "tiered", "increment": 0.01}}
    plain = ExecutionModel(commission_model=spelled).terms(flat_bars(2)).commission
    twice = ExecutionModel(commission_model=spelled, commission_scale=2.0).terms(flat_bars(2))
    assert twice.commission.minimum == pytest.approx(0.70 * 1.000738)
    assert twice.commission.increment == 0.01
    np.testing.assert_array_equal(twice.commission.per_unit, 2.0 * plain.per_unit)
    np.testing.assert_array_equal(twice.commission.tier_from, plain.tier_from)


@pytest.mark.slow
def test_priced_bars_have_the_extras_of_their_slippage_and_keep_others():
    bars = random_bars(40)
    assert ExecutionModel().priced(bars) is bars
    priced = ExecutionModel(slippage_model=["sqrt_volume", "half_spread"]).priced(bars)
    assert set(priced.extras) == {"spread", "volatility", "average_volume"}
    assert priced.close is bars.close


def test_detail_timeframe_asks_for_its_bars():
    model = ExecutionModel(fill_model={"detail_timeframe": {"timeframe": "1h"}})
    bars, hours = flat_bars(2), flat_bars(48, length=HOUR)
    assert model.terms(bars, detail=hours).detail.first.tolist() == [0, 24, 48]
    assert ExecutionModel().terms(bars, detail=hours).detail.first.tolist() == [0, 24, 48]
    assert ExecutionModel().terms(bars).detail.first.size == 0
    for detail in (None, flat_bars(8, length=DAY / 4)):
        with pytest.raises(DataError, match="detail_timeframe follows orders on bars of 1:00:00"):
            model.terms(bars, detail=detail)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fillmodel": "next_open"}, "did you mean 'fill_model'?"),
        ({"fill_model": "next_opn"}, "no FillModel named 'next_opn'"),
        ({"fill_model": {"next_open": {"latncy": 1}}}, "did you mean 'latency'?"),
        ({"preset": "hopeful"}, "no preset 'hopeful'"),
        ({"cash_rate": "2%"}, "execution: cash_rate is '2%'"),
        ({"slippage_model": 7}, "7 is no SlippageModel"),
    ],
)
def test_wrong_settings_say_what_is_known(settings, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        ExecutionModel.from_settings(settings)


@pytest.mark.slow
def test_strategy_files_have_every_setting_of_the_model():
    from quant_assets.quant.strategies.config import Execution

    assert set(Execution.model_fields) == {one.name for one in fields(ExecutionModel)} | {"preset"}


def test_preset_of_realistic_volume_has_the_numbers_that_the_page_states():
    """Written out here as in docs/methods/execution.md: a default that changes changes none."""
    found = ExecutionModel.preset("realistic_volume")
    terms = found.terms(flat_bars(3))
    assert terms.fills == FillTerms(NEXT_OPEN, True, 0.10, 5, 0, False)
    slippage = terms.slippage
    assert (slippage.fixed, slippage.half_spread, slippage.volume_share) == (0.0, 0.0, 0.0)
    assert (slippage.impact, slippage.exponent) == (1.0, 0.5)
    assert found.slippage[0].lookback == 20
    fee = terms.commission
    assert (fee.per_unit.tolist(), fee.minimum, fee.maximum) == ([0.005], 1.00, 0.01)
    assert (fee.sell_rate, fee.unit_taker, fee.unit_sell) == (0.0, 0.0, 0.0)
    assert terms.carry.borrow.tolist() == [0.0025] * len(terms.carry.borrow)
    assert terms.margin.leverage == 1.0


def test_preset_of_realistic_volume_is_the_execution_of_the_design_document():
    written = {
        "fill_model": "realistic_volume",
        "commission_model": "interactive_brokers",
        "slippage_model": "sqrt_volume",
    }
    assert ExecutionModel.from_settings(written) == ExecutionModel.preset("realistic_volume")
    named = ExecutionModel.from_settings({"preset": "realistic_volume", "cash_rate": 0.02})
    assert named.fills == ExecutionModel.preset("realistic_volume").fills
    assert named.cash_rate == 0.02
