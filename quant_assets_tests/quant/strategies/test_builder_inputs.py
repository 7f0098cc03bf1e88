"""Parts that do not belong where they were given are refused by name, before a run."""

from collections.abc import Callable

import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.quant.risk import StopLoss, TrailingStop
from quant_assets.quant.sizing.entry import FixedFraction
from quant_assets.quant.strategies import StrategyBuilder
from quant_assets.quant.strategies.rules import MaCrossUp, RsiOversold

BASE = StrategyBuilder("x").with_signals(entry_long=MaCrossUp())
WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: StrategyBuilder("x").with_signals("rsi"), "with_signals takes Strategy.*'rsi'"),  # type: ignore[arg-type]
    (lambda: StrategyBuilder("x").with_signals(MaCrossUp()), "rules: entry_long="),  # type: ignore[arg-type]
    (lambda: StrategyBuilder("x").with_signals(entry_long=MaCrossUp), "entry_long has .*no rule"),  # type: ignore[arg-type]
    (lambda: StrategyBuilder("x").with_signals(entry_long="rsi"), "entry_long has 'rsi', which"),  # type: ignore[arg-type]
    (lambda: BASE.with_signals(entry_long=[MaCrossUp(), 5]), "entry_long has 5, which is no rule"),  # type: ignore[list-item]
    (lambda: BASE.with_sizing(5), "with_sizing takes EntrySizer, and was given 5"),  # type: ignore[arg-type]
    (lambda: BASE.with_sizing(FixedFraction), r"a class: write FixedFraction\("),  # type: ignore[arg-type]
    (lambda: BASE.with_risk(0.05), "with_risk takes RiskRule, and was given 0.05"),  # type: ignore[arg-type]
    (lambda: BASE.with_risk(TrailingStop), r"a class: write TrailingStop\("),  # type: ignore[arg-type]
    (lambda: BASE.with_regime(["bull"]), r"takes RegimeFilter or RegimeClassifier.*\['bull'\]"),  # type: ignore[arg-type]
    (lambda: BASE.with_middleware(5), "with_middleware takes Middleware, and was given 5"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "told"), WRONG)
def test_builder_refuses_by_name(call: Callable[[], object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        call()


def test_builder_takes_rules_one_by_one_and_as_lists() -> None:
    stop, trailing = StopLoss(pct=0.1), TrailingStop(pct=0.05)
    assert BASE.with_risk(stop, trailing) == BASE.with_risk([stop, trailing])
    one = StrategyBuilder("x").with_signals(entry_long=RsiOversold())
    assert one == StrategyBuilder("x").with_signals(entry_long=(RsiOversold(),))
