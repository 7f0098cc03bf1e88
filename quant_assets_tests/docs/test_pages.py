"""What pages promise apart from code: links, lengths, and that nothing is left undocumented."""

import re

import pytest

from quant_assets.adapters.layouts.base import FileLayout
from quant_assets.cli.main import cli
from quant_assets.core.errors import QuantAssetsError
from quant_assets.core.registry import discover
from quant_assets.quant.discovery.base import Screen
from quant_assets.quant.features.base import Feature
from quant_assets.quant.moments.covariances.base import CovarianceEstimator
from quant_assets.quant.moments.means.base import MeanEstimator
from quant_assets.quant.optimization.base import Optimizer
from quant_assets.quant.optimization.constraints.base import Constraint
from quant_assets.quant.risk.base import RiskRule
from quant_assets.quant.simulation.execution.model import FAMILIES
from quant_assets.quant.sizing.entry.base import EntrySizer
from quant_assets.quant.strategies.regimes.base import RegimeClassifier
from quant_assets.quant.strategies.rules.base import Rule
from quant_assets.quant.synthesis.signals.base import Signal
from quant_assets_tests.docs.pages import REPOSITORY, Page, all_pages, commands_of

PAGES = all_pages()
every_page = pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
README_LINES = 200
PRIVATE = re.compile(r"/work/|/root/|/home/|/tmp/|\bpypi\.|artifactory|nexus", re.IGNORECASE)
PLUGINS = [
    ("layouts", "quant_assets.adapters.layouts", FileLayout),
    ("features", "quant_assets.quant.features", Feature),
    ("discovery", "quant_assets.quant.discovery", Screen),
    ("signals", "quant_assets.quant.synthesis.signals", Signal),
    ("optimizers", "quant_assets.quant.optimization", Optimizer),
    ("covariance", "quant_assets.quant.moments.covariances", CovarianceEstimator),
    ("expected_returns", "quant_assets.quant.moments.means", MeanEstimator),
    ("hardening", "quant_assets.quant.optimization.constraints", Constraint),
    ("execution_risk", "quant_assets.quant.risk", RiskRule),
    ("strategies", "quant_assets.quant.strategies.rules", Rule),
    ("strategies", "quant_assets.quant.strategies.regimes", RegimeClassifier),
    ("execution_sizing", "quant_assets.quant.sizing.entry", EntrySizer),
    *(("execution", family.package, family.base) for family in FAMILIES.values()),
]


def page_of(name: str) -> Page:
    return next(page for page in PAGES if page.name == name)


@every_page
def test_page_links_lead_to_files_and_headings(page: Page):
    for link in page.links:
        target, _, anchor = link.partition("#")
        if target.startswith("https://"):
            continue
        path = (page.path.parent / target).resolve() if target else page.path
        assert path.exists(), f"{page.name} links to {link}"
        if anchor:
            assert anchor in Page(path).anchors, f"{page.name} links to {link}"


@every_page
def test_page_names_no_machine_path_and_no_registry(page: Page):
    assert PRIVATE.search(page.text) is None


@every_page
def test_page_lines_are_short_enough_to_review(page: Page):
    tables = [
        line for line in page.text.splitlines() if not line.lstrip().startswith(("|", "!", "["))
    ]
    fenced = {n for b in page.blocks for n in range(b.line, b.end + 1)}
    long = [
        number
        for number, line in enumerate(page.text.splitlines(), start=1)
        if len(line) > 160 and line in tables and number not in fenced
    ]
    assert not long


def test_readme_is_short_and_shows_both_pictures():
    readme = page_of("README.md")
    assert len(readme.text.splitlines()) <= README_LINES
    assert {"docs/images/graph.png", "docs/images/tear_sheet.png"} <= set(readme.links)


def test_readme_links_to_every_guide():
    linked = {link.partition("#")[0] for link in page_of("README.md").links}
    guides = {page.name for page in PAGES if page.path.parent == REPOSITORY / "docs"}
    assert guides <= linked


def test_methods_pages_are_all_listed_in_their_index():
    index = page_of("docs/methods/README.md")
    folder = {page.path.name for page in PAGES if page.path.parent == index.path.parent}
    assert folder - {"README.md"} <= set(index.links)


@pytest.mark.parametrize(("page", "package", "base"), PLUGINS, ids=[name for name, *_ in PLUGINS])
def test_methods_page_names_every_plugin(page: str, package: str, base: type):
    # a page that grew too long goes on in others, whose names begin with its own
    folder = page_of(f"docs/methods/{page}.md").path.parent
    pages = [p for p in PAGES if p.path.parent == folder]
    text = "".join(p.text for p in pages if f"{p.path.stem}_".startswith(f"{page}_"))
    own = [n for n, kind in discover(package, base).items() if kind.__module__.startswith(package)]
    assert own
    assert [name for name in own if f"`{name}`" not in text] == []


def test_cli_page_has_a_section_and_an_example_for_every_command():
    page = page_of("docs/cli.md")
    names = cli.list_commands(None)
    assert [name for name in names if f"\n## {name}\n" not in page.text] == []
    shown = {
        c.words[1] for b in page.of("bash", "console") for c in commands_of(b) if len(c.words) > 1
    }
    assert set(names) <= shown


@pytest.mark.slow
def test_architecture_page_names_every_asset():
    from quant_assets.orchestration.graph import ordered_specs

    text = page_of("docs/architecture.md").text
    outs = [out for spec in ordered_specs() for out in spec.outs]
    assert [out for out in outs if f"`{out}`" not in text] == []


def test_troubleshooting_page_explains_every_error_class():
    text = page_of("docs/troubleshooting.md").text
    pending, names = [QuantAssetsError], []
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        if kind.__module__ == QuantAssetsError.__module__:
            names.append(kind.__name__)
    assert len(names) > 5
    assert [name for name in names if f"`{name}`" not in text] == []
