"""Files of a new strategy: the class, its test, and the YAML form of the same idea."""

import re

from quant_assets.core.errors import ConfigError

__all__ = ["strategy_template"]

CODE = '''"""{title}: long while a fast average of closes is above a slow one."""

from dataclasses import dataclass
from typing import ClassVar

from quant_assets.quant.strategies.rule_signals import RuleSignals, RuleStrategy
from quant_assets.quant.strategies.rules.ma_cross import MaCrossDown, MaCrossUp


@dataclass(frozen=True, kw_only=True)
class {cls}(RuleStrategy):
    """Averages of `fast` and `slow` closes; in when the fast one crosses up, out when down."""

    name: ClassVar[str] = "{name}"
    version: ClassVar[str] = "1.0.0"
    fast: int = 20
    slow: int = 50

    def rules(self) -> RuleSignals:
        """See the base class."""
        return RuleSignals(
            entry_long=MaCrossUp(fast=self.fast, slow=self.slow),
            exit_long=MaCrossDown(fast=self.fast, slow=self.slow),
        )
'''
TEST = '''"""{title} on bars made by hand."""

from {module} import {cls}

from quant_assets.quant.strategies.tester import StrategyTester

CLOSES = [10.0, 9.0, 8.0, 9.0, 11.0, 12.0, 10.0, 7.0, 6.0]


def test_{name}_enters_on_the_cross_up_and_leaves_on_the_cross_down():
    tester = StrategyTester.on({cls}(fast=2, slow=3), {{"ONE": CLOSES}})
    assert tester.when("entry_long") == [4]
    assert tester.when("exit_long") == [7]


def test_{name}_reads_no_later_bar_and_decides_alike_bar_by_bar():
    StrategyTester.on({cls}(fast=2, slow=3), {{"ONE": CLOSES}}).check()
'''
SETTINGS = """\
strategy: {name}
version: "1.0.0"
runtime:
  candle_interval: "1d"

components:
  signals:
    entry_long:
      - ma_cross_up: {{fast: 20, slow: 50}}
    exit_long:
      - ma_cross_down: {{fast: 20, slow: 50}}

  sizing:
    type: fixed_fraction
    params: {{fraction: 0.1}}

  risk:
    - trailing_stop: {{pct: 0.05}}
    - max_position: {{pct: 0.1}}

backtest:
  initial_capital: 100000.0
"""


def strategy_template(name: str, *, module: str = "") -> dict[str, str]:
    """Text of the files of a new strategy by file name: class, test and YAML form.

    module : where the class will be imported from; else the file's own name.
    """
    if re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name) is None:
        raise ConfigError(f"name {name!r}: use small letters, digits and _, a letter first")
    words = {
        "name": name,
        "cls": "".join(word.capitalize() for word in name.split("_")),
        "title": name.replace("_", " ").capitalize(),
        "module": module or name,
    }
    return {
        f"{name}.py": CODE.format(**words),
        f"test_{name}.py": TEST.format(**words),
        f"{name}.yaml": SETTINGS.format(**words),
    }
