"""Every public name of the library stands on a page about methods."""

import re

import pytest

from quant_assets.quant import (
    analytics,
    indicators,
    model_selection,
    moments,
    optimization,
    statistics,
)
from quant_assets_tests.docs.pages import REPOSITORY, Page

PAGES = [Page(path) for path in sorted((REPOSITORY / "docs" / "methods").glob("*.md"))]
WORDS = {word for page in PAGES for word in re.findall(r"\w+", page.text)}


@pytest.mark.parametrize(
    "package",
    [analytics, model_selection, moments, optimization, statistics],
    ids=lambda p: p.__name__,
)
def test_every_public_name_is_on_a_page(package):
    assert set(package.__all__)
    assert sorted(set(package.__all__) - WORDS) == []


def test_every_indicator_is_on_a_page_by_its_function():
    # a class has the parameters of its function, and lines are named by their fields
    missing = [getattr(indicators, name) for name in set(indicators.__all__) - WORDS]
    kinds = set(indicators.catalogue().values())
    lines = {kind for kind in missing if isinstance(kind, type) and issubclass(kind, tuple)}
    assert set(missing) - kinds - lines == set()
    assert {kind.function for kind in kinds} <= WORDS
    assert {field for kind in lines for field in kind._fields} <= WORDS


def test_every_page_of_the_library_has_a_block_that_is_executed():
    library = [page for page in PAGES if "`quant_assets.quant" in page.text]
    assert len(library) > 20
    assert [page.name for page in library if not page.of("python")] == []
