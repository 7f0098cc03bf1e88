"""The benchmarks are found and their page renders; what they measure is asserted nowhere."""

import pytest

from benchmarks.discovery import ORDER, benchmarks
from benchmarks.page import Result, render, text


def test_discovery_finds_every_benchmark_in_its_order():
    found = benchmarks()
    assert tuple(found) == ORDER
    for module in found.values():
        assert module.TITLE
        assert module.TARGET


@pytest.mark.parametrize(
    ("value", "shown"),
    [(3, "3"), (2.4567, "2.46"), (12_345.6, "12,346"), ("x", "x"), (True, "True"), (0.0, "0")],
)
def test_text_shows_three_digits_of_measured_numbers_and_all_of_counts(value: object, shown: str):
    assert text(value) == shown


def test_render_shows_machine_versions_command_and_rows():
    rows = [{"run": "first", "s": 1.2345}, {"run": "second", "s": 2.0}]
    page = render([Result("demo", "A title", "60 s", rows)], quick=True)
    assert "`python -m benchmarks demo --quick`" in page
    assert "cores" in page
    assert "dagster 1." in page
    assert "## A title\n\nTarget: 60 s.\n\n`python" in page
    assert "\n\n| run | s |\n| :--- | ---: |\n| first | 1.23 |\n| second | 2 |\n" in page


def test_render_keeps_the_sections_that_were_not_measured_now():
    first = Result("demo", "First", "1 s", [{"run": "a", "s": 1.0}])
    second = Result("load", "Second", "2 s", [{"run": "b", "s": 2.0}])
    page = render([first, second], quick=False)
    again = Result("demo", "First", "1 s", [{"run": "a", "s": 3.0}])
    assert render([again], quick=False, before=page) == render([again, second], quick=False)
