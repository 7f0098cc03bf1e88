"""From named parts to the page: the tear sheet's style, tables and charts, and a few of its own."""

from typing import Any

from quant_assets.reporting.page import (
    SCRIPT,
    STYLE,
    TEMPLATE,
    content_policy,
    plotly_js,
    template_text,
)

OWN_TEMPLATE, OWN_STYLE, OWN_SCRIPT = "strategy.html.j2", "strategy.css", "strategy.js"
PAGE_BEGINS = "<!doctype html>"


def render(parts: dict[str, Any]) -> str:
    """Fill the template with `parts`. Everything but trusted sources is escaped."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    macros = template_text(TEMPLATE).partition(PAGE_BEGINS)[0]
    library, script, own = plotly_js(), template_text(SCRIPT), template_text(OWN_SCRIPT)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(macros + template_text(OWN_TEMPLATE)).render(
        **parts,
        policy=content_policy(library, script, own),
        css=Markup(template_text(STYLE) + template_text(OWN_STYLE)),  # noqa: S704 - own files
        plotly_js=Markup(library),  # noqa: S704 - the installed plotly package
        page_js=Markup(script),  # noqa: S704 - a file of this package
        own_js=Markup(own),  # noqa: S704 - likewise
    )
