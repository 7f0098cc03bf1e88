"""The pages about the library name every strategy with its rule, its source and its parameters."""

from dataclasses import fields

import pytest

from quant_assets.quant.strategies import LIBRARY, library, library_pairs, library_parts
from quant_assets.quant.strategies import library_strategies as strategies
from quant_assets_tests.docs.pages import REPOSITORY, Page

NAMES = {folder: f"strategy_library_{folder}.md" for folder in LIBRARY}
NAMES["experimental"] = "strategy_library.md"
PAGES = {f: Page(REPOSITORY / "docs" / "methods" / name) for f, name in NAMES.items()}


@pytest.mark.parametrize("name", sorted(strategies()))
def test_strategy_has_a_section_with_source_parameters_and_an_example(name):
    folder = next(folder for folder in LIBRARY if name in strategies(folder))
    _, _, rest = PAGES[folder].text.partition(f"\n### `{name}`\n")
    words = " ".join(rest.partition("\n### ")[0].split())
    kind = strategies()[name]
    assert kind.source in words
    assert f'show("{name}"' in words
    assert "trades, " in words
    assert [one.name for one in fields(kind) if f"`{one.name}` (" not in words] == []
    rule = " ".join(kind.__doc__.split("\n\n")[0].split())
    assert rule in words


def test_page_names_everything_that_the_library_offers():
    text = "".join(page.text for page in PAGES.values())
    public = {*library.__all__, *library_parts.__all__, *library_pairs.__all__}
    assert sorted(name for name in public if name not in text) == []
