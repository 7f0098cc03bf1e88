"""Each hardening constraint: violation, description and narrowing, by hand."""

import numpy as np
import pytest

from quant_assets.core.registry import discover
from quant_assets.quant.optimization.constraints.base import (
    Constraint,
    FeasibleSet,
    HardeningProblem,
)
from quant_assets.quant.optimization.constraints.box import BoxConstraint
from quant_assets.quant.optimization.constraints.budget import BudgetConstraint
from quant_assets.quant.optimization.constraints.gross import GrossConstraint
from quant_assets.quant.optimization.constraints.net import NetConstraint
from quant_assets.quant.optimization.constraints.turnover import TurnoverConstraint

WEIGHTS = np.array([0.7, -0.2, 0.3])  # net 0.8, gross 1.2
PREVIOUS = np.array([0.5, 0.0, 0.3])  # turnover 0.4
PROBLEM = HardeningProblem(
    budget=1.0,
    min_weight=-0.1,
    max_weight=0.5,
    max_gross=1.1,
    min_net=0.9,
    max_net=1.0,
    max_turnover=0.3,
)
KINDS = discover("quant_assets.quant.optimization.constraints", Constraint)


def test_constraints_all_five_are_found():
    assert set(KINDS) == {"box", "budget", "gross", "net", "turnover"}


@pytest.mark.parametrize(
    ("name", "violation", "description"),
    [
        ("box", 0.2, "-0.1 <= weight <= 0.5"),
        ("budget", 0.2, "sum of weights = 1"),
        ("gross", 0.1, "sum of |weight| <= 1.1"),
        ("net", 0.1, "0.9 <= sum of weights <= 1"),
        ("turnover", 0.1, "sum of |weight - previous| <= 0.3"),
    ],
)
def test_constraint_violation_and_description_by_hand(name, violation, description):
    constraint = KINDS[name].from_problem(PROBLEM)
    assert constraint.violation(WEIGHTS, PREVIOUS) == pytest.approx(violation)
    assert constraint.describe() == description


@pytest.mark.parametrize("name", sorted(KINDS))
def test_constraint_kept_has_no_violation(name):
    weights = np.array([0.5, 0.0, 0.45])
    relaxed = HardeningProblem(budget=0.95, max_gross=1.0, min_net=0.9, max_turnover=0.15)
    assert KINDS[name].from_problem(relaxed).violation(weights, PREVIOUS) == pytest.approx(0.0)


def test_constraints_not_set_are_absent():
    bare = HardeningProblem(budget=None)
    built = {name: kind.from_problem(bare) for name, kind in KINDS.items()}
    assert [name for name, rule in built.items() if rule is not None] == ["box"]


def test_turnover_from_cash_is_not_limited():
    rule = TurnoverConstraint(0.1)
    cash = np.zeros(3)
    assert rule.violation(WEIGHTS, cash) == 0.0
    assert rule.narrow(FeasibleSet.everything(3), cash).max_turnover == np.inf


def test_narrow_only_tightens():
    start = FeasibleSet(np.zeros(2), np.full(2, 0.3), 0.2, 0.6, 0.5, 0.1)
    cash = np.array([0.1, 0.0])
    for rule in (
        BoxConstraint(-1.0, 1.0),
        NetConstraint(-1.0, 1.0),
        GrossConstraint(2.0),
        TurnoverConstraint(3.0),
    ):
        kept = rule.narrow(start, cash)
        assert (kept.net_low, kept.net_high, kept.max_gross, kept.max_turnover) == (
            0.2,
            0.6,
            0.5,
            0.1,
        )
        np.testing.assert_array_equal(kept.upper, [0.3, 0.3])


def test_budget_outside_the_net_span_leaves_an_empty_span():
    empty = BudgetConstraint(1.0).narrow(
        NetConstraint(0.0, 0.5).narrow(FeasibleSet.everything(2), np.zeros(2)), np.zeros(2)
    )
    assert empty.net_low > empty.net_high


def test_box_with_arrays_shows_the_span():
    rule = BoxConstraint(0.0, np.array([0.2, 0.5]))
    assert rule.describe() == "0 <= weight <= 0.2..0.5"
    assert rule.violation(np.array([0.3, 0.5]), np.zeros(2)) == pytest.approx(0.1)
