"""Another package adds a rule and a regime: strategy files use them, and their logic counts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quant_assets_tests.docs.conftest import environment_of
from quant_assets_tests.docs.pages import REPOSITORY

pytestmark = pytest.mark.slow

RULE = """
from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.strategies.rules.base import Rule


@dataclass(frozen=True, kw_only=True)
class InsideBar(Rule):
    name: ClassVar[str] = "inside_bar"
    share: float = 1.0

    @property
    def back(self):
        return 1

    def reads(self, rows):
        return tuple(rows.before(name, bars) for name in ("high", "low") for bars in (0, 1))

    def test(self, *values):
        high, high_before, low, low_before = values
        return high - low < (high_before - low_before) * self.share
"""
REGIME = """
from typing import ClassVar

import numpy as np

from quant_assets.quant.strategies.regimes.base import Regime, RegimeClassifier


class AlwaysCalm(RegimeClassifier):
    name: ClassVar[str] = "always_calm"
    labels: ClassVar[tuple[str, ...]] = ("still",)
    lookback = 0

    def classify(self, bars):
        code = np.zeros(bars.close.shape, dtype=np.int8)
        return Regime(self.labels, code, np.ones(code.shape))
"""
PROGRAM = '''
import json
from quant_assets.quant.strategies import hand_made_bars, load_strategy, strategy_schema

loaded = load_strategy("""
strategy: foreign
version: "1.0.0"
components:
  signals:
    entry_long:
      - inside_bar: {share: 0.5}
  regime: {allowed: [still], classifier: always_calm}
""")
bars = hand_made_bars({"A": [(5, 9, 1, 5), (5, 6, 4, 5), (5, 6, 4, 5)]})
print(json.dumps({
    "entries": loaded.strategy.signals(bars).entry_long[:, 0].tolist(),
    "hash": loaded.strategy_hash,
    "schema": "inside_bar" in json.dumps(strategy_schema()),
}))
'''


@pytest.fixture
def site(tmp_path: Path) -> Path:
    package, facts = tmp_path / "foreign_rules", tmp_path / "foreign_rules-1.0.dist-info"
    package.mkdir()
    facts.mkdir()
    (package / "__init__.py").touch()
    (package / "inside_bar.py").write_text(RULE, encoding="utf-8")
    (package / "always_calm.py").write_text(REGIME, encoding="utf-8")
    (facts / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: foreign-rules\nVersion: 1.0\n", encoding="utf-8"
    )
    (facts / "entry_points.txt").write_text(
        "[quant_assets.strategies.rules]\ninside_bar = foreign_rules.inside_bar\n"
        "[quant_assets.strategies.regimes]\nalways_calm = foreign_rules.always_calm\n",
        encoding="utf-8",
    )
    return tmp_path


def answers(site: Path) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**environment_of(site / "data"), "PYTHONPATH": f"{site}:{REPOSITORY}"},
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_rule_and_regime_of_another_package_work_in_a_file_and_count_in_the_hash(site: Path):
    found = answers(site)
    assert found["entries"] == [False, True, False]
    assert found["schema"]
    rule = site / "foreign_rules" / "inside_bar.py"
    rule.write_text(RULE.replace(" < (", " <= ("), encoding="utf-8")
    assert answers(site)["hash"] != found["hash"]
    rule.write_text(RULE + "\n# a comment\n", encoding="utf-8")
    assert answers(site)["hash"] == found["hash"]
