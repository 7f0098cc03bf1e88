"""One package of somebody else adds one plug-in of each kind, and a strategy file runs with them.

FEATURES C3: a strategy, a signal rule, a sizer, a risk rule, fills, slippage and a commission, with
no change of any file of ours. What they do is worked out by hand.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quant_assets_tests.docs.conftest import environment_of
from quant_assets_tests.docs.pages import REPOSITORY

pytestmark = pytest.mark.slow

HEAD = """
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant_assets.core.parameters import Parameters
from {home} import {names}


@dataclass(frozen=True, kw_only=True)
class {kind}({base}):
"""
EXECUTION = "quant_assets.quant.simulation.execution"
# module -> entry-point group, home, names that it needs, class, base, body
PLUG_INS = {
    "strategy": (
        "strategies.modern", "quant_assets.quant.strategies", "Signals, VectorStrategy",
        "ThirdBar", "Parameters, VectorStrategy",
        '''
    """In at the close of the third bar."""

    name: ClassVar[str] = "third_bar"
    source: ClassVar[str] = "Nobody (2024)"

    def signals(self, bars):
        entry = np.zeros(bars.close.shape, dtype=bool)
        entry[2:3] = True
        return Signals(entry_long=entry)
''',
    ),
    "rule": (
        "strategies.rules", "quant_assets.quant.strategies.rules.base", "Rule",
        "RoundPrice", "Rule",
        '''
    """The close is a multiple of `step`."""

    name: ClassVar[str] = "round_price"
    step: float = 10.0

    def reads(self, rows):
        return (rows["close"],)

    def test(self, *values):
        return values[0] % self.step == 0.0
''',
    ),
    "sizer": (
        "sizing.entry", "quant_assets.quant.sizing.entry.fixed_quantity", "FixedQuantity",
        "Dozen", "FixedQuantity",
        '''
    """Twelve units."""

    name: ClassVar[str] = "dozen"

    def size(self, bars, sides):
        return self.everywhere(bars, 12.0)
''',
    ),
    "risk": (
        "risk", "quant_assets.quant.risk.stop_loss", "StopLoss", "FiveOff", "StopLoss",
        '''
    """A stop five per cent away."""

    name: ClassVar[str] = "five_off"

    def level(self, bars):
        return self.everywhere(bars, 0.05)
''',
    ),
    "fill": (
        "simulation.execution.fills", f"{EXECUTION}.fills.next_open", "NextOpen",
        "ABarLater", "NextOpen",
        '''
    """A bar later than the next."""

    name: ClassVar[str] = "a_bar_later"

    def terms(self):
        return super().terms()._replace(latency=1)
''',
    ),
    "slippage": (
        "simulation.execution.slippage", f"{EXECUTION}.slippage.fixed", "FixedSlippage",
        "Thousandth", "FixedSlippage",
        '''
    """A thousandth of the price."""

    name: ClassVar[str] = "thousandth"

    def terms(self):
        return super().terms()._replace(fixed=1e-3)
''',
    ),
    "commission": (
        "simulation.execution.commissions", f"{EXECUTION}.commissions.flat", "Flat",
        "Seven", "Flat",
        '''
    """Seven an order."""

    name: ClassVar[str] = "seven"

    def schedule(self):
        return super().schedule()._replace(flat=7.0)
''',
    ),
}  # fmt: skip
FILE = """
strategy: foreign
version: "1.0.0"
components:
  signals: {signals}
  sizing: {{type: dozen}}
  risk: [five_off]
execution: {{fill_model: a_bar_later, slippage_model: thousandth, commission_model: seven}}
"""
RULES = "{entry_long: [{round_price: {step: 25.0}}]}"
PROGRAM = """
import json, sys
import numpy as np
from datetime import timedelta
from quant_assets import backtest
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.strategies import load_strategy

close = np.array([101.0, 102.0, 100.0, 103.0, 104.0, 110.0, 90.0, 91.0])
opens = np.array([101.0, 101.0, 102.0, 100.0, 105.0, 104.0, 98.0, 90.0])
ts = np.datetime64("2024-01-01", "us") + np.arange(8) * np.timedelta64(1, "D")
prices = {"open": opens, "high": np.maximum(opens, close), "low": np.minimum(opens, close)}
bars = BarPanel.from_arrays(ts, ["A"], timedelta(days=1), close=close, **prices)
for text in json.loads(sys.stdin.read()):
    result = backtest(load_strategy(text).strategy, bars)
    fills = result.fills[["quantity", "reference_price", "price", "commission", "reason"]]
    days = (fills.index * 0 + result.fills["ts"].dt.day).tolist()
    print(json.dumps({"days": days, **{name: fills[name].tolist() for name in fills}}))
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    package, facts = tmp_path / "foreign_package", tmp_path / "foreign_package-1.0.dist-info"
    package.mkdir()
    facts.mkdir()
    (package / "__init__.py").touch()
    groups = []
    for module, (group, home, names, kind, base, body) in PLUG_INS.items():
        head = HEAD.format(home=home, names=names, kind=kind, base=base)
        (package / f"{module}.py").write_text(head + body, encoding="utf-8")
        groups.append(f"[quant_assets.{group}]\n{module} = foreign_package.{module}\n")
    metadata = "Metadata-Version: 2.1\nName: foreign-package\nVersion: 1.0\n"
    (facts / "METADATA").write_text(metadata, encoding="utf-8")
    (facts / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")
    return tmp_path


def test_one_plug_in_of_each_kind_of_another_package_runs_and_does_what_it_says(site: Path):
    files = [FILE.format(signals=signals) for signals in (RULES, "{strategy: third_bar}")]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(files),
        env={**environment_of(site / "data"), "PYTHONPATH": f"{site}:{REPOSITORY}"},
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    by_rule, by_strategy = map(json.loads, done.stdout.splitlines())
    # Decided at the close of 100.00 on the third day, filled at the open of the fifth: 105.00 and a
    # thousandth; the stop, five per cent below, is 99.85: the seventh day opens below it, at 98.00.
    bought, sold = 105.0 * 1.001, 98.0 * 0.999
    for found in (by_rule, by_strategy):
        assert found["days"] == [5, 7]
        assert found["quantity"] == [12.0, -12.0]
        assert found["reference_price"] == [105.0, 98.0]
        assert found["price"] == pytest.approx([bought, sold], rel=1e-12)
        assert found["commission"] == [7.0, 7.0]
        assert found["reason"] == ["entry", "stop_loss"]
