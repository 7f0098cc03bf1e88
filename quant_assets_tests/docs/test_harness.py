"""The harness itself: what it reads from a page, and that it notices what is wrong."""

import pytest

from quant_assets_tests.docs.pages import REPOSITORY, Page, commands_of
from quant_assets_tests.docs.test_code_blocks import assert_shown, parse, parsed_only


def page_with(text: str) -> Page:
    page = Page(REPOSITORY / "docs" / "imagined.md")
    page.__dict__["text"] = text
    return page


def test_blocks_carry_language_text_and_line():
    page = page_with("# Title\n\n```python\nx = 1\n```\n\n- item\n\n  ```yaml\n  a: 1\n  ```\n")
    assert [(b.language, b.text, b.line) for b in page.blocks] == [
        ("python", "x = 1\n", 3),
        ("yaml", "a: 1\n", 9),
    ]


def test_blocks_unclosed_fence_is_named():
    with pytest.raises(ValueError, match=r"imagined\.md:2: the code fence is never closed"):
        _ = page_with("text\n```bash\nls\n").blocks


def test_links_inside_code_are_no_links():
    page = page_with("[a](b.md)\n```text\n[c](d.md)\n```\n![e](f.png)\n")
    assert page.links == ["b.md", "f.png"]


def test_commands_console_block_splits_commands_from_output():
    text = "```console\n$ A=1 quant-assets plan \\\n    --json\n[]\n$ echo $?\n0\n```\n"
    plan, status = commands_of(page_with(text).blocks[0])
    assert plan.words == ["quant-assets", "plan", "--json"]
    assert (plan.environment, plan.shown) == ({"A": "1"}, ("[]",))
    assert (status.words, status.shown) == (["echo", "$?"], ("0",))


def test_commands_bash_block_drops_comments_and_redirections():
    text = "```bash\n# first\nquant-assets schema venue > a.json  # then\nmake demo\n```\n"
    assert [c.words for c in commands_of(page_with(text).blocks[0])] == [
        ["quant-assets", "schema", "venue"],
        ["make", "demo"],
    ]


@pytest.mark.parametrize("words", [["nonsense"], ["plan", "--nonsense"], ["schema", "nonsense"]])
def test_parse_refuses_what_the_command_line_refuses(words):
    with pytest.raises(Exception, match="nonsense"):
        parse(words, "nonsense")


def test_parsed_only_are_servers_and_long_runs():
    assert parsed_only(["ui"])
    assert parsed_only(["demo", "--all"])
    assert not parsed_only(["demo", "--windows", "3"])
    assert parsed_only(["backfill", "--workers", "2"])
    assert not parsed_only(["backfill", "--venue", "v", "--windows", "a"])


def test_assert_shown_wants_lines_in_order_and_takes_anything_for_an_ellipsis():
    printed = "one 1\nskipped\ntwo 2\n"
    assert_shown(("one …", "…", "two 2"), printed, "here")
    for wrong in (("two 2", "one 1"), ("one",), ("three",)):
        with pytest.raises(AssertionError, match="here: no "):
            assert_shown(wrong, printed, "here")
