"""Strategy files of a folder: found, checked, and refused with their file."""

from pathlib import Path

import pytest

from quant_assets.adapters.strategies.loader import load_strategies
from quant_assets.core.errors import ConfigError

TEXT = """\
strategy: {name}
version: "1.0.0"
components:
  signals:
    entry_long: [{{ma_cross_up: {{fast: 3, slow: 9}}}}]
"""


def write(folder: Path, name: str, text: str | None = None, suffix: str = ".yaml") -> Path:
    path = folder / f"{name}{suffix}"
    path.write_text(text or TEXT.format(name=name), encoding="utf-8")
    return path


def refused(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_strategies(folder)
    return str(caught.value)


def test_load_strategies_are_sorted_and_other_files_are_left_alone(tmp_path: Path):
    write(tmp_path, "b")
    write(tmp_path, "a", suffix=".yml")
    (tmp_path / "notes.txt").write_text("x")
    assert list(load_strategies(tmp_path)) == ["a", "b"]
    assert load_strategies(tmp_path)["a"].source == tmp_path / "a.yml"


def test_load_strategies_of_a_missing_folder_names_the_setting(tmp_path: Path):
    assert "QUANT_ASSETS_STRATEGIES_FOLDER" in refused(tmp_path / "none")


def test_load_strategies_tells_every_problem_of_every_file(tmp_path: Path):
    write(tmp_path, "other", TEXT.format(name="mine"))
    write(tmp_path, "typo", TEXT.format(name="typo").replace("slow", "slwo"))
    write(tmp_path, "twice")
    write(tmp_path, "twice", suffix=".yml")
    write(tmp_path, "costs", TEXT.format(name="costs") + "execution: {fill_model: nxt_open}\n")
    lines = refused(tmp_path).replace(f"{tmp_path}/", "").splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "costs.yaml",
        "other.yaml",
        "twice.yml",
        "typo.yaml",
    ]
    assert "next_open" in lines[0]
    assert "rename one, for example the file to mine.yaml" in lines[1]
    assert "'twice' is taken by twice.yaml" in lines[2]
    assert lines[3].startswith("typo.yaml:5: ")
    assert lines[3].endswith("did you mean slow?")
