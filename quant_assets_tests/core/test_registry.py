import pytest

from quant_assets.core.errors import PluginError
from quant_assets.core.registry import discover, get
from quant_assets.quant.synthesis.signals.base import Signal
from quant_assets_tests.core.small_tree import PLUGIN, SmallTree

pytestmark = pytest.mark.slow

SIGNALS = "quant_assets.quant.synthesis.signals"
DISCOVER = """
from quant_assets.core.errors import PluginError
from quant_assets.core.registry import discover, get
from quant_assets.quant.things.base import Thing
P = "quant_assets.quant.things"
try:
    print({n: c().value() for n, c in discover(P, Thing).items()})
except PluginError as error:
    print("PluginError:", error)
"""


@pytest.fixture
def tree(tmp_path):
    return SmallTree(tmp_path)


def test_discover_finds_each_file_sorted_by_name(tree):
    tree.plugin("zebra", value=1)
    tree.plugin("ant", value=2)
    assert tree.run(DISCOVER) == "{'ant': 2, 'zebra': 1}"


def test_discover_skips_bases_imports_abstract_classes_and_private_files(tree):
    tree.plugin("one")
    tree.write("again.py", "from quant_assets.quant.things.one import One\n")
    tree.write(
        "half.py", "from quant_assets.quant.things.base import Thing\nclass Half(Thing): pass\n"
    )
    tree.write("_private.py", "raise RuntimeError('never imported')\n")
    assert tree.run(DISCOVER) == "{'one': 1}"


def test_discover_empty_folder_is_empty(tree):
    assert tree.run(DISCOVER) == "{}"


@pytest.mark.parametrize(
    ("source", "line", "cause"),
    [
        ("x = 1\ny = 1 / 0\n", 2, "ZeroDivisionError: division by zero"),
        ("import no_such_package\n", 1, "ModuleNotFoundError: No module named 'no_such_package'"),
        ("x = 1\n\ndef f(:\n", 3, "SyntaxError: invalid syntax"),
        ("raise ValueError('mine')\n", 1, "ValueError: mine"),
    ],
)
def test_discover_broken_plugin_names_file_line_and_cause(tree, source, line, cause):
    path = tree.write("broken.py", source)
    answer = tree.run(DISCOVER)
    assert answer.startswith(
        "PluginError: plug-in quant_assets.quant.things.broken cannot be loaded"
    )
    assert f"{path}:{line}: {cause}" in answer
    assert "Mend the file" in answer


def test_discover_name_taken_twice_names_both_files(tree):
    one, two = tree.plugin("one"), tree.write("two.py", PLUGIN.format(cls="B", name="one", value=2))
    answer = tree.run(DISCOVER)
    assert f"{two}:5: the name 'one' is already taken by {one}" in answer


def test_discover_plugin_without_a_name_is_refused(tree):
    path = tree.write("one.py", PLUGIN.format(cls="One", name="", value=1))
    assert f"{path}:5: One has no `name: ClassVar[str]`" in tree.run(DISCOVER)


def test_discover_inherited_name_does_not_count(tree):
    tree.plugin("one")
    source = "from quant_assets.quant.things.one import One\nclass Two(One): pass\n"
    path = tree.write("two.py", source)
    assert f"{path}:2: Two has no `name" in tree.run(DISCOVER)


def test_discover_finds_plugins_of_other_packages_by_entry_point(tree):
    tree.plugin("one")
    tree.distribution("extra_things", PLUGIN.format(cls="Extra", name="extra", value=7))
    assert tree.run(DISCOVER) == "{'extra': 7, 'one': 1}"


def test_discover_broken_plugin_of_another_package_is_named(tree):
    tree.distribution("extra_things", "1 / 0\n")
    answer = tree.run(DISCOVER)
    assert f"{tree.root}/extra_things.py:1: ZeroDivisionError" in answer


def test_get_missing_plugin_lists_those_that_are_known(tree):
    tree.plugin("one")
    tree.plugin("two", cls="Two")
    answer = tree.run(DISCOVER + "try: get(P, Thing, 'three')\nexcept PluginError as e: print(e)\n")
    assert "no Thing named 'three' in quant_assets.quant.things; known: ['one', 'two']" in answer


def test_discover_real_folder_gives_a_dict_that_callers_may_change():
    found = discover(SIGNALS, Signal)
    assert list(found) == sorted(found)
    found.clear()
    assert discover(SIGNALS, Signal)


def test_get_real_plugin_by_name():
    name, cls = next(iter(discover(SIGNALS, Signal).items()))
    assert get(SIGNALS, Signal, name) is cls
    with pytest.raises(PluginError, match=r"no Signal named 'nothing'.*known"):
        get(SIGNALS, Signal, "nothing")


FIND = """
import sys
from quant_assets.core.registry import find, get
from quant_assets.quant.things.base import Thing
P = "quant_assets.quant.things"
print(get(P, Thing, "zebra")().value(), find(P, Thing, "no_such"), P + ".ant" in sys.modules)
"""


def test_plug_in_of_the_file_called_like_it_is_found_without_loading_others(tree):
    tree.plugin("zebra", value=1)
    tree.plugin("ant", value=2)
    alone = FIND.replace('find(P, Thing, "no_such")', '"-"')
    assert tree.run(alone) == "1 - False"
    assert tree.run(FIND) == "1 None True"


def test_plug_in_in_a_file_of_another_name_is_found_among_all(tree):
    tree.write("animals.py", PLUGIN.format(cls="Zebra", name="zebra", value=3))
    tree.plugin("ant", value=2)
    assert tree.run(FIND) == "3 None True"
