"""How much a user writes is counted where it is shown; the blocks themselves run in other tests."""

import ast

from quant_assets_tests.docs.pages import REPOSITORY, Page

FEWER_THAN = 10
LONGEST = 100


def lines_of(page: str, word: str) -> list[str]:
    """Lines of the first Python block with a word, without blank ones and those that only check."""
    (text, *_) = (
        block.text
        for block in Page(REPOSITORY / page).blocks
        if block.language == "python" and word in block.text
    )
    checks = [node for node in ast.parse(text).body if isinstance(node, ast.Assert)]
    checked = {n for node in checks for n in range(node.lineno, (node.end_lineno or 0) + 1)}
    rows = enumerate(text.splitlines(), start=1)
    return [line for n, line in rows if line.strip() and n not in checked]


def test_a_cross_of_averages_is_built_and_run_in_fewer_than_ten_lines():
    """Imports, signals, a stop, bars of a venue and the run; no line is a page wide, or several."""
    lines = lines_of("README.md", "StrategyBuilder()")
    assert len(lines) < FEWER_THAN
    assert max(map(len, lines)) <= LONGEST
    assert not any(";" in line for line in lines)
    text = "\n".join(lines)
    for needed in ("MaCrossUp", "with_signals", "with_risk", "backtest(", "load("):
        assert needed in text
