"""From named parts to one self-contained HTML page that never asks the network for anything.

plotly.js is inlined once. The page carries a content security policy that allows exactly its own
two scripts, by hash, and no connection of any kind, so that text which slips through the escaping
could still not run or call home.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

TEMPLATE = "tear_sheet.html.j2"
STYLE = "tear_sheet.css"
SCRIPT = "tear_sheet.js"
TEMPLATES_SHA256 = "f294a9415a436ed8bd99dfedbb98246c5fde22c473656386a71ae1a2d8a29414"


@dataclass(frozen=True)
class FigureBlock:
    """A figure's element id, height in pixels and specification; `has_scale` adds log | linear."""

    name: str
    height: int
    json: Any
    caption: str = ""
    has_scale: bool = False


@dataclass(frozen=True)
class Section:
    """Heading of a section, its entry in the navigation, a note, and what it lacks."""

    title: str
    label: str
    note: str = ""
    missing: str = ""


def template_text(name: str) -> str:
    """Read one file of `templates/`."""
    folder = resources.files("quant_assets.reporting") / "templates"
    return (folder / name).read_text(encoding="utf-8")


def templates_sha256() -> str:
    """Digest of the template files, which `TEMPLATES_SHA256` repeats (a test compares them).

    Only Python code enters a cell's code version: whoever edits a template renews the constant,
    and stored tear sheets become stale as they should.
    """
    text = "".join(template_text(name) for name in (TEMPLATE, STYLE, SCRIPT))
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def plotly_js() -> str:
    """Source of plotly.js as the installed plotly package bundles it."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def script_safe_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def figure_block(
    name: str, figure: dict[str, Any], caption: str = "", *, scale: bool = False
) -> FigureBlock:
    """Give a figure an explicit element id, so that equal input gives equal bytes."""
    from markupsafe import Markup

    safe = Markup(script_safe_json(figure))  # noqa: S704 - script_safe_json escapes <, > and &
    return FigureBlock(name, int(figure["layout"]["height"]), safe, caption, scale)


def _source_hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def content_policy(*scripts: str) -> str:
    """Allow only `scripts` to run, by hash, and nothing to be fetched; styles may be inline."""
    hashes = " ".join(f"'sha256-{_source_hash(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def render_page(parts: dict[str, Any]) -> str:
    """Fill the template with `parts`. Everything but trusted sources is escaped."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    library, script = plotly_js(), template_text(SCRIPT)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(template_text(TEMPLATE)).render(
        **parts,
        policy=content_policy(library, script),
        css=Markup(template_text(STYLE)),  # noqa: S704 - a file of this package
        plotly_js=Markup(library),  # noqa: S704 - the installed plotly package
        page_js=Markup(script),  # noqa: S704 - a file of this package
    )
