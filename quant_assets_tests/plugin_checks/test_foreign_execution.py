"""Another package adds a plug-in of every kind of the backtester, and no file of ours changes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quant_assets_tests.docs.conftest import environment_of
from quant_assets_tests.docs.pages import REPOSITORY

pytestmark = pytest.mark.slow

EXECUTION = "quant_assets.quant.simulation.execution"
PLUG_INS = {  # kind -> package, base class, class that it refines
    "fills": (f"{EXECUTION}.fills", "next_open", "NextOpen"),
    "slippage": (f"{EXECUTION}.slippage", "fixed", "FixedSlippage"),
    "commissions": (f"{EXECUTION}.commissions", "flat", "Flat"),
    "borrow": (f"{EXECUTION}.borrow", "none", "NoBorrow"),
    "funding": (f"{EXECUTION}.funding", "assume_zero", "AssumeZero"),
    "margin": (f"{EXECUTION}.margin", "cash_account", "CashAccount"),
    "fx": (f"{EXECUTION}.fx", "none", "NoFx"),
    "instruments": (f"{EXECUTION}.instruments", "fractional", "Fractional"),
    "risk": ("quant_assets.quant.risk", "stop_loss", "StopLoss"),
    "sizing": ("quant_assets.quant.sizing.entry", "fixed_fraction", "FixedFraction"),
}
MODULE = """
from dataclasses import dataclass
from typing import ClassVar

from {package}.{module} import {base}


@dataclass(frozen=True, kw_only=True)
class Foreign({base}):
    name: ClassVar[str] = "foreign"
"""
PROGRAM = """
import json
from quant_assets.quant.risk import rules_from
from quant_assets.quant.simulation.execution.model import FAMILIES, ExecutionModel
from quant_assets.quant.sizing.entry import entry_sizers

model = ExecutionModel(**dict.fromkeys(FAMILIES, "foreign"))
made = [model.slippage[0], *(getattr(model, key) for key in FAMILIES if key != "slippage_model")]
made += [*rules_from(["foreign"]), entry_sizers()["foreign"]()]
print(json.dumps({"modules": [type(one).__module__ for one in made], "digest": model.digest()}))
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    package, facts = tmp_path / "foreign_plug_ins", tmp_path / "foreign_plug_ins-1.0.dist-info"
    package.mkdir()
    facts.mkdir()
    (package / "__init__.py").touch()
    groups = []
    for kind, (home, module, base) in PLUG_INS.items():
        source = MODULE.format(package=home, module=module, base=base)
        (package / f"{kind}.py").write_text(source, encoding="utf-8")
        group = home.replace("quant_assets.quant.", "quant_assets.")
        groups.append(f"[{group}]\nforeign = foreign_plug_ins.{kind}\n")
    metadata = "Metadata-Version: 2.1\nName: foreign-plug-ins\nVersion: 1.0\n"
    (facts / "METADATA").write_text(metadata, encoding="utf-8")
    (facts / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")
    return tmp_path


def found_by_a_new_process(site: Path) -> dict:
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


def test_plug_ins_of_another_package_are_found_by_name_and_count_in_the_digest(site: Path):
    found = found_by_a_new_process(site)
    assert set(found["modules"]) == {f"foreign_plug_ins.{kind}" for kind in PLUG_INS}
    changed = site / "foreign_plug_ins" / "commissions.py"
    text = changed.read_text(encoding="utf-8")
    changed.write_text(f"{text}RATE = 1.0\n", encoding="utf-8")
    assert found_by_a_new_process(site)["digest"] != found["digest"]
