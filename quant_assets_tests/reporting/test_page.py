import base64
import hashlib
import json

from quant_assets.reporting.page import (
    SCRIPT,
    STYLE,
    TEMPLATE,
    TEMPLATES_SHA256,
    content_policy,
    figure_block,
    plotly_js,
    script_safe_json,
    template_text,
    templates_sha256,
)


def test_templates_digest_is_repeated_in_the_code() -> None:
    """A changed template must change a code version: copy the new digest into page.py."""
    assert templates_sha256() == TEMPLATES_SHA256


def test_json_cannot_end_its_script_element() -> None:
    value = {"name": "</script><!-- & <script>", "nothing": None}
    text = script_safe_json(value)
    assert not set("<>&") & set(text)
    assert json.loads(text) == value


def test_json_has_one_form_whatever_the_order() -> None:
    assert script_safe_json({"b": 1, "a": 2}) == script_safe_json({"a": 2, "b": 1})


def test_policy_allows_exactly_the_given_scripts_by_hash() -> None:
    digest = base64.b64encode(hashlib.sha256(b"alert(1)").digest()).decode()
    policy = content_policy("alert(1)")
    assert f"script-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none'")
    script_rule = next(rule for rule in policy.split("; ") if rule.startswith("script-src"))
    assert "unsafe" not in script_rule
    assert "http" not in policy


def test_inlined_sources_cannot_end_their_elements() -> None:
    for source in (plotly_js(), template_text(SCRIPT)):
        assert "</script" not in source.lower()
        assert "\r" not in source  # the parser would normalise it, and the hash would not match
    assert "</style" not in template_text(STYLE).lower()


def test_style_and_template_fetch_nothing() -> None:
    for name in (STYLE, SCRIPT, TEMPLATE):
        text = template_text(name)
        for word in ("http:", "https:", "url(", "@import", "fetch(", "XMLHttpRequest"):
            assert word not in text, (name, word)


def test_figure_block_keeps_the_given_id() -> None:
    block = figure_block("figure-x", {"data": [], "layout": {"height": 300}}, scale=True)
    assert (block.name, block.height, block.has_scale) == ("figure-x", 300, True)
    assert json.loads(block.json) == {"data": [], "layout": {"height": 300}}
