from pathlib import Path

import pytest

from quant_assets.core.config import load_settings
from quant_assets.core.errors import ConfigError


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QUANT_ASSETS_DATA_ROOT", raising=False)
    return tmp_path


def test_load_settings_without_file_gives_the_defaults():
    settings = load_settings()
    assert settings.data_root == Path("data")
    assert settings.mode == "carry"


def test_load_settings_environment_wins_over_the_file(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    (empty_folder / "settings.yaml").write_text("data_root: here\nmode: independent\n")
    monkeypatch.setenv("QUANT_ASSETS_DATA_ROOT", "there")
    assert load_settings().data_root == Path("there")
    assert load_settings().mode == "independent"


def test_load_settings_unknown_key_names_file_line_and_suggestion(empty_folder: Path):
    (empty_folder / "settings.yaml").write_text("mode: carry\ndata_rot: x\n")
    with pytest.raises(
        ConfigError, match=r"settings\.yaml:2: data_rot: unknown key; did you mean data_root"
    ):
        load_settings()


def test_load_settings_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QUANT_ASSETS_MODE", "sometimes")
    with pytest.raises(ConfigError, match=r"QUANT_ASSETS_\* variables\): mode: .*'sometimes'"):
        load_settings()


def test_load_settings_grid_that_does_not_begin_a_window_says_which_day_does(empty_folder: Path):
    (empty_folder / "settings.yaml").write_text("grid:\n  start: 2020-01-15\n")
    with pytest.raises(ConfigError, match=r"2020-01-01"):
        load_settings()
