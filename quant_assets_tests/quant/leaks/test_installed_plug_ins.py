"""Plug-ins that are installed where libraries are: what they remember is looked at all the same."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from quant_assets.quant.leaks.functions import check_function
from quant_assets.quant.leaks.reach import packages_of
from quant_assets.quant.leaks.strategies import check_strategy
from quant_assets.quant.strategies.builder import StrategyBuilder
from quant_assets_tests.quant.leaks.markets import market

PACKAGE = "acme_of_another_house"
CODE = '''
from typing import ClassVar

import numpy as np

from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.signals import Signals

FIRST = {}


class FittedOnce(VectorStrategy):
    """Keeps the mean of the data it first saw in its module: a later, shorter call knows it."""

    name: ClassVar[str] = "fitted_once"

    def signals(self, bars):
        mean = FIRST.setdefault("strategy", bars.close[np.isfinite(bars.close)].mean())
        return Signals(entry_long=bars.close < mean, exit_long=bars.close >= mean)


class Honest(VectorStrategy):
    """Keeps what does not depend on the data."""

    name: ClassVar[str] = "honest"

    def signals(self, bars):
        level = FIRST.setdefault("level", 100.0)
        return Signals(entry_long=bars.close < level, exit_long=bars.close >= level)


def score(values):
    return values - FIRST.setdefault("score", values.mean())
'''


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "lib" / "site-packages"
    (folder / PACKAGE).mkdir(parents=True)
    (folder / PACKAGE / "__init__.py").write_text(CODE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    yield importlib.import_module(PACKAGE)
    del sys.modules[PACKAGE]


def test_strategy_of_an_installed_package_that_remembers_is_found(installed):
    report = check_strategy(installed.FittedOnce(), market())
    assert not report.trusted
    assert "FIRST.setdefault" in str(report)
    assert installed.FIRST == {}
    assert check_strategy(installed.Honest(), market()).trusted


def test_function_of_an_installed_package_that_remembers_is_found(installed):
    values = np.cumsum(np.random.default_rng(1).normal(size=400))
    assert not check_function(installed.score, values).trusted


def test_packages_are_those_of_plug_ins_and_not_of_what_they_hold(installed):
    plug_in = installed.Honest()
    plug_in.__dict__["table"] = np.ones(3)
    assert packages_of(plug_in) == {PACKAGE}
    assert packages_of(StrategyBuilder().with_signals(plug_in).build()) >= {PACKAGE}
    assert packages_of(installed.score) == {PACKAGE}
    assert packages_of(np.ones(3)) == frozenset()
