"""The leak check as a part of pytest, for plug-ins of other packages.

In a `conftest.py`: `pytest_plugins = ["quant_assets.quant.leaks.pytest_checks"]`. A test that takes
an argument `own_plug_in` then runs once for each plug-in that is installed and not of this package,
one that takes `any_plug_in` for those of this package as well; each is a `PlugIn`.
"""

from typing import Any

from quant_assets.quant.leaks.plug_ins import PlugIn, found_plug_ins

OWN, ANY = "own_plug_in", "any_plug_in"
HERE = "quant_assets."


def found(argument: str) -> list[PlugIn]:
    """The plug-ins that a test of that argument runs for."""
    every = list(found_plug_ins())
    if argument == ANY:
        return every
    return [one for one in every if not one.kind.__module__.startswith(HERE)]


def pytest_generate_tests(metafunc: Any) -> None:
    """Called by pytest for each test function."""
    for argument in (OWN, ANY):
        if argument in metafunc.fixturenames:
            these = found(argument)
            metafunc.parametrize(argument, these, ids=[f"{p.family}-{p.name}" for p in these])
