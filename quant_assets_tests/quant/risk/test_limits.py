import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.core.yaml_loader import load_yaml
from quant_assets.quant.risk.combined import limit_terms, rules_from
from quant_assets.quant.risk.max_correlation import MaxCorrelation
from quant_assets.quant.risk.max_position import MaxPosition
from quant_assets.quant.risk.terms import UNLIMITED
from quant_assets.quant.risk.trailing_stop import TrailingStop
from quant_assets.quant.simulation.execution.defaults import neutral_limits
from quant_assets_tests.quant.simulation.execution.bar_samples import flat_bars

BARS = flat_bars(3, ("A", "B", "C", "D"))
DESIGN = """
- trailing_stop: {pct: 0.02}
- max_position: {pct: 0.05}
- max_correlation: {threshold: 0.7}
"""


def limits(*spellings):
    return limit_terms(rules_from(spellings), BARS)


def changed(terms):
    """What differs from no limits at all, as the kernel's neutral terms state them."""
    neutral = neutral_limits(len(BARS.symbols))._asdict()
    return {
        name: value
        for name, value in terms._asdict().items()
        if not np.array_equal(value, neutral[name])
    }


def test_the_designs_yaml_is_the_rules_of_its_objects(tmp_path):
    file = tmp_path / "risk.yaml"
    file.write_text(DESIGN)
    rules = rules_from(load_yaml(file).data)
    assert rules == (
        TrailingStop(pct=0.02),
        MaxPosition(pct=0.05),
        MaxCorrelation(threshold=0.7),
    )
    assert changed(limit_terms(rules, BARS)) == {
        "max_position": 0.05,
        "held_position": 0.05,
        "drift_position": pytest.approx(0.0505),
        "correlation": 0.7,
        "correlation_bars": 60,
    }


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ({"max_gross": {"pct": 1.5, "drift": "keep"}}, {"max_gross": 1.5}),
        (
            {"max_net": {"pct": 0.2, "band": 0.5}},
            {"max_net": 0.2, "held_net": 0.2, "drift_net": pytest.approx(0.3)},
        ),
        ({"max_positions": {"count": 3}}, {"max_positions": 3}),
        ({"max_heat": {"pct": 0.06}}, {"max_heat": 0.06}),
        ({"daily_loss": {"pct": 0.03}}, {"daily_loss": 0.03}),
        ({"cool_down": {"bars": 4}}, {"cool_down": 4}),
        ({"drawdown_cut": {"pct": 0.1, "scale": 0.25}}, {"cut_drawdown": 0.1, "cut_scale": 0.25}),
        ({"drawdown_halt": {"pct": 0.2}}, {"halt_drawdown": 0.2}),
        (
            {"drawdown_halt": {"pct": 0.2, "resume": 0.1, "bars": 30}},
            {"halt_drawdown": 0.2, "resume_drawdown": 0.1, "halt_bars": 30},
        ),
    ],
)
def test_limit_sets_its_own_fields_and_no_other(spelling, expected):
    assert changed(limits(spelling)) == expected


def test_sectors_are_groups_and_the_rest_stands_alone():
    sectors = {"A": "technology", "C": "technology", "B": "energy"}
    found = limits({"max_sector": {"pct": 0.3, "sectors": sectors}})
    assert found.max_sector == 0.3
    assert found.sector[0] == found.sector[2]
    assert len(set(found.sector.tolist())) == 3


def test_of_several_limits_the_tightest_holds():
    found = limits(
        {"max_position": {"pct": 0.05}},
        {"max_position": {"pct": 0.02}},
        {"max_positions": {"count": 8}},
        {"max_positions": {"count": 12}},
        {"cool_down": {"bars": 2}},
        {"cool_down": {"bars": 6}},
        {"max_correlation": {"threshold": 0.9}},
        {"max_correlation": {"threshold": 0.6}},
        {"drawdown_halt": {"pct": 0.3, "bars": 10}},
        {"drawdown_halt": {"pct": 0.2}},
    )
    assert changed(found) == {
        "max_position": 0.02,
        "held_position": 0.02,
        "drift_position": pytest.approx(0.0202),
        "max_positions": 8,
        "cool_down": 6,
        "correlation": 0.6,
        "correlation_bars": 60,
        "halt_drawdown": 0.2,
    }
    assert found.halt_bars == UNLIMITED


def test_the_order_of_rules_does_not_matter():
    rules = rules_from(
        [{"max_gross": {"pct": 2.0}}, "max_net", {"max_gross": {"pct": 1.0}}, "drawdown_cut"]
    )
    forth, back = limit_terms(rules, BARS), limit_terms(rules[::-1], BARS)
    assert changed(forth) == changed(back)


@pytest.mark.parametrize(
    ("spellings", "message"),
    [
        (
            [{"max_correlation": {"lookback": 60}}, {"max_correlation": {"lookback": 30}}],
            "different correlation_bars: 60 and 30",
        ),
        (
            [
                {"max_sector": {"sectors": {"A": "x", "B": "x"}}},
                {"max_sector": {"sectors": {"A": "x", "C": "x"}}},
            ],
            "max_sector is given twice with a different sector",
        ),
        (
            [{"drawdown_cut": {"pct": 0.3}}, {"drawdown_halt": {"pct": 0.2}}],
            "drawdown_cut at 0.3 never happens",
        ),
        ([{"drawdown_halt": {"pct": 0.2, "resume": 0.2}}], "resume is 0.2"),
        ([{"max_sector": {"sectors": {"Z": "x"}}}], "max_sector: ['Z']"),
        ([{"max_position": {"pct": 0.0}}], "max_position: pct is 0.0"),
        ([{"max_correlation": {"threshold": 1.0}}], "threshold is 1.0"),
        ([{"max_positions": {"count": 0}}], "count is 0"),
        ([{"drawdown_cut": {"scale": 1.0}}], "scale is 1.0"),
    ],
)
def test_what_cannot_hold_together_is_refused_with_its_numbers(spellings, message):
    with pytest.raises(ConfigError) as error:
        limits(*spellings)
    assert message in str(error.value)
