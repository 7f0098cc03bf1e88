import hashlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant_assets.core.errors import ConfigError
from quant_assets.core.hashing import (
    canonical_json,
    code_digest,
    combine,
    digest,
    file_digest,
    foreign_digest,
    plugin_modules,
    source_digest,
)
from quant_assets_tests.core.small_tree import SmallTree

DIGEST = (
    "from quant_assets.core.hashing import code_digest\n"
    "print(code_digest((), ('quant_assets.quant.things',)))"
)
SOURCE = '''
"""Module."""

LIMIT = 20


class A:
    """Class."""

    def f(self, x: int) -> int:
        """Method."""
        return x + LIMIT  # add
'''

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_canonical_json_hand_worked():
    assert canonical_json({"b": 0.1, "a": [1, None, "ä"]}) == '{"a":[1,null,"\\u00e4"],"b":0.1}'
    assert canonical_json({"day": date(2020, 1, 2), "path": Path("/x")}) == (
        '{"day":"2020-01-02","path":"/x"}'
    )


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_digest_does_not_depend_on_the_order_of_keys(value):
    assert digest(dict(reversed(value.items()))) == digest(value)


def test_digest_is_the_sha256_of_the_canonical_text():
    assert digest({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()


def test_file_digest_is_the_sha256_of_the_bytes(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"\x00\x01" * 100_000)
    assert file_digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# add", "# something else"),
        ('"""Method."""', '"""Another text, of\n        two lines."""'),
        ('"""Class."""', ""),
        ('"""Module."""', '"""Package."""\n\n\n'),
        ("LIMIT = 20", "LIMIT  =  20"),
        ("return x + LIMIT", "return (x + LIMIT)"),
        ("class A:", "class A:\n"),
    ],
)
def test_source_digest_comments_docstrings_and_layout_do_not_count(old, new):
    assert old in SOURCE
    assert source_digest(SOURCE.replace(old, new)) == source_digest(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 20", "LIMIT = 21"),
        ("LIMIT = 20", "LIMIT = 20.0"),
        ("LIMIT = 20", "LIMIT = '20'"),
        ("x + LIMIT", "x - LIMIT"),
        ("x + LIMIT", "LIMIT + x"),
        ("def f", "def g"),
        ("class A:", "class A(dict):"),
        ("    def f", "    @staticmethod\n    def f"),
        ("return x + LIMIT  # add", 'print("text")\n        return x + LIMIT'),
    ],
)
def test_source_digest_logic_counts(old, new):
    assert old in SOURCE
    assert source_digest(SOURCE.replace(old, new)) != source_digest(SOURCE)


def test_source_digest_text_that_is_no_docstring_counts():
    assert source_digest('x = 1\n"text"') != source_digest('x = 1\n"other"')


def test_code_digest_of_real_modules_is_stable_and_tells_them_apart():
    windows = ("quant_assets.core.windows",)
    assert code_digest(windows) == code_digest.__wrapped__(windows)
    assert code_digest(windows) != code_digest(("quant_assets.core.clock",))
    assert code_digest(("quant_assets.core.windows", "quant_assets.core.clock")) == code_digest(
        ("quant_assets.core.clock", "quant_assets.core.windows")
    )


def test_code_digest_includes_what_a_module_imports_from_us():
    # `context` imports `windows`: naming it as well adds nothing
    context = ("quant_assets.core.context",)
    assert code_digest(context) == code_digest((*context, "quant_assets.core.windows"))


def test_code_digest_unknown_module_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"'quant_assets\.core\.nothing'"):
        code_digest(("quant_assets.core.nothing",))


@pytest.fixture
def tree(tmp_path):
    tree = SmallTree(tmp_path)
    tree.plugin("one")
    return tree


@pytest.mark.slow
def test_code_digest_changes_with_every_file_of_a_plugin_folder(tree):
    first = tree.run(DIGEST)
    assert tree.run(DIGEST) == first
    one = tree.plugin("one", value=2)
    changed = tree.run(DIGEST)
    assert changed != first
    one.write_text(one.read_text() + "\n# a comment\n")
    assert tree.run(DIGEST) == changed
    tree.plugin("two", cls="Two")
    assert tree.run(DIGEST) not in {first, changed}


@pytest.mark.slow
def test_code_digest_follows_imports_of_plugins_at_any_depth(tree):
    core = tree.root / "quant_assets" / "core"
    (core / "deep.py").write_text("FACTOR = 1\n")
    (core / "middle.py").write_text("from quant_assets.core import deep\n")
    tree.write(
        "lazy.py", "def f():\n    from quant_assets.core.middle import deep\n    return deep\n"
    )
    first = tree.run(DIGEST)
    (core / "deep.py").write_text("FACTOR = 2\n")
    assert tree.run(DIGEST) != first


@pytest.mark.slow
def test_code_digest_of_a_lazy_package_changes_with_each_of_its_files(tree):
    tools = tree.root / "quant_assets" / "quant" / "tools"
    tools.mkdir()
    (tools / "__init__.py").write_text(
        "from quant_assets.core.lazy import attach\n"
        "__getattr__, __dir__, __all__ = attach(__name__)\n"
    )
    (tools / "trend.py").write_text('__all__ = ["sma"]\ndef sma():\n    return 1\n')
    tree.write("user.py", "from quant_assets.quant.tools import sma\n")
    first = tree.run(DIGEST)
    (tools / "trend.py").write_text('__all__ = ["sma"]\ndef sma():\n    return 2\n')
    second = tree.run(DIGEST)
    assert second != first
    # a file that is named is read alone
    (tools / "other.py").write_text("VALUE = 1\n")
    tree.write("user.py", "from quant_assets.quant.tools import trend\n")
    named = tree.run(DIGEST)
    (tools / "other.py").write_text("VALUE = 2\n")
    assert tree.run(DIGEST) == named
    (tools / "trend.py").write_text("def sma():\n    return 3\n")
    assert tree.run(DIGEST) != named


@pytest.mark.slow
def test_code_digest_includes_plugins_of_other_packages(tree):
    first = tree.run(DIGEST)
    tree.distribution("extra_things", "VALUE = 1\n")
    with_extra = tree.run(DIGEST)
    (tree.root / "extra_things.py").write_text("VALUE = 2\n")
    assert len({first, with_extra, tree.run(DIGEST)}) == 3


def test_foreign_digest_reads_a_module_without_importing_it():
    assert len(foreign_digest("antigravity")) == 64  # importing it would open a browser
    with pytest.raises(ConfigError, match="no source file for module 'no_such_module'"):
        foreign_digest("no_such_module")


def test_code_digest_of_modules_of_this_process_counts_what_they_pass_on():
    """The same as in a process of its own: lazy packages, plug-ins and modules of others."""
    hashing = "quant_assets.core.hashing"
    fees = "quant_assets.quant.simulation.execution.commissions"
    plain = code_digest((hashing,))
    assert code_digest((hashing,), (fees,)) != plain
    assert code_digest((hashing, "quant_assets.quant.risk")) != plain
    assert code_digest((hashing, "quant_assets_tests.core.small_tree")) != plain
    with pytest.raises(ConfigError, match="is not a plug-in package: it has no __init__"):
        plugin_modules(hashing)


def test_combine_order_counts_for_lists_and_not_for_mappings():
    assert combine(["a", "b"]) != combine(["b", "a"])
    assert combine({"x": "a", "y": "b"}) == combine({"y": "b", "x": "a"})
