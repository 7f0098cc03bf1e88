import importlib
import sys

import pytest

from quant_assets.core.errors import PluginError

DOOR = (
    "from quant_assets.core.lazy import attach\n__getattr__, __dir__, __all__ = attach(__name__)\n"
)


@pytest.fixture
def package(tmp_path, monkeypatch, request):
    name = f"lazy_{abs(hash(request.node.name))}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text(DOOR)
    (folder / "trend.py").write_text(
        '__all__ = ["sma"]\ndef sma():\n    return 1\ndef _own(): ...\n'
    )
    (folder / "broken.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module(name), folder
    for module in [m for m in sys.modules if m.split(".")[0] == name]:
        del sys.modules[module]


def test_attach_imports_a_module_when_its_name_is_asked_for(package):
    door, _ = package
    assert f"{door.__name__}.trend" not in sys.modules
    assert door.sma() == 1
    assert f"{door.__name__}.trend" in sys.modules


def test_attach_lists_public_names_without_importing(package):
    door, _ = package
    assert dir(door) == ["sma"]
    assert list(door.__all__) == ["sma"]
    assert "sma" in door.__all__
    assert f"{door.__name__}.broken" not in sys.modules


def test_attach_star_import_gives_the_public_names(package):
    door, _ = package
    space = {}
    exec(f"from {door.__name__} import *", space)  # noqa: S102 - the statement under test
    assert space["sma"]() == 1
    assert "_own" not in space


def test_attach_modules_themselves_can_be_asked_for(package):
    door, _ = package
    assert door.trend.sma() == 1


def test_attach_unknown_name_lists_what_there_is(package):
    door, _ = package
    with pytest.raises(AttributeError, match="no attribute 'ema'; it offers sma"):
        door.ema  # noqa: B018 - the access is the test


def test_attach_name_that_two_modules_offer_is_refused(package):
    door, folder = package
    (folder / "other.py").write_text('__all__ = ("sma",)\n')
    with pytest.raises(PluginError, match="'sma' is also offered by"):
        door.sma  # noqa: B018


def test_attach_computed_list_of_names_is_refused_with_its_line(package):
    door, folder = package
    (folder / "other.py").write_text("names = []\n__all__ = [n for n in names]\n")
    with pytest.raises(PluginError, match=r"other.py:2: __all__ must be a literal"):
        door.sma  # noqa: B018


def test_attach_name_of_a_file_is_refused(package):
    door, folder = package
    (folder / "sma.py").write_text("")
    with pytest.raises(PluginError, match="'sma' is the name of a file"):
        dir(door)
