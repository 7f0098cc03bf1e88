"""All that may decide something is found by discovery and examined; nothing is left out unsaid."""

import importlib
import json
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import quant_assets.quant
from quant_assets.core.errors import ConfigError, LookAheadError
from quant_assets.quant.leaks.decisions import check_decision
from quant_assets.quant.leaks.plug_ins import check_plug_in, found_plug_ins, plug_in_families
from quant_assets.quant.optimization.risk_budgeting import RiskBudgeting
from quant_assets.quant.sizing.base import sizers
from quant_assets.quant.strategies import library_strategies
from quant_assets_tests.docs.conftest import environment_of
from quant_assets_tests.docs.pages import REPOSITORY

pytestmark = pytest.mark.slow

QUANT = "quant_assets.quant"
FOUND = list(found_plug_ins())
# Packages of plug-ins that are examined with inputs of their own, by the test that does it.
ELSEWHERE = {
    f"{QUANT}.discovery": "test_plugins::test_verdict_of_a_screen_forgets_later_decisions",
    f"{QUANT}.synthesis.signals": "test_plugins::test_score_of_a_decision_forgets_later_decisions",
}
# Packages whose plug-ins are shown neither bars nor returns in time, and why nothing can leak.
TIMELESS = {
    f"{QUANT}.market.row_checks": "judge rows of a file, one by one, before anything is decided",
    f"{QUANT}.optimization.constraints": "say what weights are allowed; the optimizer is examined",
    f"{QUANT}.optimization.cost_models": "see two vectors of weights",
    f"{QUANT}.simulation.execution.borrow": "see the names of symbols",
    f"{QUANT}.simulation.execution.commissions": "see nothing",
    f"{QUANT}.simulation.execution.fills": "see nothing",
    f"{QUANT}.simulation.execution.funding": "pay settlements of a bar at its own instants",
    f"{QUANT}.simulation.execution.fx": "see the clock of the bars; test_execution cuts the rates",
    f"{QUANT}.simulation.execution.instruments": "see the names of symbols",
    f"{QUANT}.simulation.execution.margin": "see the names of symbols",
    f"{QUANT}.tuning.objectives": "judge a run that is over",
    f"{QUANT}.tuning.searches": "propose parameters; the windows before are all they are given",
}
# Plug-ins that cannot be made without data or members, and the test that examines them.
WITH_PARAMETERS = {
    "covariances": {"given", "given_factors"},  # repeat what they are given
    "sizers": {"kelly", "volatility_target"},  # test_sizer_that_needs_a_parameter_is_examined
    "optimizers": {"foreign", "risk_budgeting"},  # of a foreign package; with budgets, see below
}


def packages_of_plug_ins():
    """Every package that some module of the library names to discover plug-ins in."""
    found = set()
    for info in pkgutil.walk_packages(quant_assets.quant.__path__, f"{QUANT}."):
        if "kernel" in info.name or info.name.endswith("pytest_checks"):
            continue
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, str) and value.startswith(f"{QUANT}."):
                found.add(value)
    return found


def test_every_package_of_plug_ins_is_examined_or_says_why_not():
    examined = {family.package for family in plug_in_families().values()}
    assert packages_of_plug_ins() == examined | ELSEWHERE.keys() | TIMELESS.keys()
    assert not examined & (ELSEWHERE.keys() | TIMELESS.keys())


def test_every_plug_in_of_these_packages_is_examined():
    for name, family in plug_in_families().items():
        examined = {one.name for one in FOUND if one.family == name}
        assert family.kinds().keys() - examined == WITH_PARAMETERS.get(name, set())
        assert examined


@pytest.mark.parametrize("plug_in", FOUND, ids=lambda one: f"{one.family}-{one.name}")
def test_plug_in_is_trusted(plug_in):
    report = plug_in.check()
    assert report.trusted, str(report)
    assert not report.failed


def test_strategies_are_examined_by_their_own_discovery():
    from quant_assets_tests.quant.strategies.library import test_every_strategy

    assert set(test_every_strategy.NAMES) == set(library_strategies())


@pytest.mark.parametrize("name", sorted(WITH_PARAMETERS["sizers"]))
def test_sizer_that_needs_a_parameter_is_examined(name):
    sizer = sizers()[name](periods_per_year=252.0)
    past = np.random.default_rng(3).normal(0.002, 0.01, (200, 3))
    sides = np.array([1.0, -1.0, 1.0])
    report = check_decision(lambda r: sizer.weights(sides, r), past[:100], past, root=sizer)
    assert report.trusted, str(report)


def test_optimizer_that_needs_budgets_is_examined():
    def fitted(returns):
        return RiskBudgeting(budgets=(0.5, 0.3, 0.2)).fit(returns).weights_

    past = np.random.default_rng(4).normal(0.001, 0.01, (200, 3))
    report = check_decision(fitted, past[:100], past, root=RiskBudgeting)
    assert report.trusted, str(report)


BEST = {}


def best_so_far(returns):
    """Remembers the best asset of all that it was ever asked about."""
    total = returns.sum(axis=0)
    if total.max() > BEST.get("total", -np.inf):
        BEST.update(total=total.max(), asset=int(total.argmax()))
    return np.arange(len(total)) == BEST["asset"]


def drawn(returns):
    return np.random.normal(size=returns.shape[1])  # noqa: NPY002 - the planted fault


def test_decision_that_remembers_a_later_one_is_caught():
    earlier, later = np.array([[0.1, 0.0]]), np.array([[0.1, 0.0], [0.0, 0.5]])
    report = check_decision(best_so_far, earlier, later)
    assert report.verdict == "leak"
    assert [leak.probe for leak in report.leaks] == ["remembered"]
    assert BEST == {}
    with pytest.raises(LookAheadError, match="left something behind"):
        report.raise_if_untrusted()


def test_decision_by_chance_is_told_and_an_honest_one_trusted():
    data = np.array([[0.1, 0.0]]), np.array([[0.2, 0.0]])
    assert check_decision(drawn, *data).verdict == "not_deterministic"
    assert check_decision(lambda r: {"mean": r.mean(axis=0)}, *data).trusted
    assert check_decision(lambda r: r * np.nan, *data).verdict == "undecided"


def test_unknown_families_and_names_are_refused():
    with pytest.raises(ConfigError, match="no family of plug-ins 'feature'"):
        list(found_plug_ins("feature"))
    with pytest.raises(ConfigError, match="no features 'nothing'"):
        check_plug_in("features", "nothing")


FEATURE = """
from typing import ClassVar

import numpy as np

from quant_assets.quant.features.base import Bars, Feature


class {name}(Feature):
    name: ClassVar[str] = "{name}"
    lookback: ClassVar[Bars] = Bars(1)

    def compute(self, inputs):
        moves = np.full(inputs.close.shape, np.nan)
        moves[1:] = inputs.close[1:] / inputs.close[:-1] - 1.0
        return np.roll(moves, {shift}, axis=0)
"""
TEST = """
pytest_plugins = ["quant_assets.quant.leaks.pytest_checks"]


def test_own_plug_in_is_trusted(own_plug_in):
    own_plug_in.check().raise_if_untrusted()
"""


def test_plug_ins_of_another_package_are_examined_by_pytest(tmp_path):
    package, facts = tmp_path / "foreign_leaks", tmp_path / "foreign_leaks-1.0.dist-info"
    package.mkdir()
    facts.mkdir()
    (package / "__init__.py").touch()
    names = {"last_move": 0, "next_move": -1}
    for name, shift in names.items():
        text = FEATURE.format(name=name, shift=shift)
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    entries = "".join(f"{name} = foreign_leaks.{name}\n" for name in names)
    (facts / "entry_points.txt").write_text(f"[quant_assets.features]\n{entries}", "utf-8")
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-leaks\nVersion: 1.0\n")
    (tmp_path / "test_own.py").write_text(TEST, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_own.py"],
        env={**environment_of(tmp_path / "data"), "PYTHONPATH": f"{tmp_path}:{REPOSITORY}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "test_own_plug_in_is_trusted[features-next_move]" in done.stdout
    assert json.dumps(names) not in done.stderr
