"""Parameters that are functions: hashed by their logic, never by where they lie in memory."""

import importlib
import sys
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import Any, ClassVar

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.quant.strategies import param_hash, strategy_hash
from quant_assets.quant.strategies.base import VectorStrategy
from quant_assets.quant.strategies.signals import Signals
from quant_assets.quant.strategies.versioning import parameters_of


@dataclass(frozen=True, kw_only=True)
class Weighed(VectorStrategy):
    """Buys what a function of the close likes."""

    name: ClassVar[str] = "weighed"
    weigh: Any = None

    def signals(self, bars):
        return Signals(entry_long=self.weigh(bars.close) > 0.0)


def rising(close):
    """A docstring that does not count."""
    return close - 1.0  # nor does a comment


def hash_of(weigh):
    return param_hash(Weighed(weigh=weigh))


def same_again(function):
    """The same function, made once more: it lies elsewhere in memory."""
    return type(function)(
        function.__code__, function.__globals__, function.__name__, function.__defaults__
    )


@pytest.fixture
def functions_of(tmp_path, monkeypatch):
    """Function `weigh` of a module with some text."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    count = iter(range(99))

    def of(text):
        folder = tmp_path / str(next(count))
        folder.mkdir()
        monkeypatch.syspath_prepend(str(folder))
        (folder / "functions_to_hash.py").write_text(text, encoding="utf-8")
        sys.modules.pop("functions_to_hash", None)
        importlib.invalidate_caches()
        return importlib.import_module("functions_to_hash").weigh

    yield of
    sys.modules.pop("functions_to_hash", None)


def test_a_function_that_lies_elsewhere_has_the_same_hash():
    again = same_again(rising)
    assert again is not rising
    assert hash_of(again) == hash_of(rising)
    assert strategy_hash(Weighed(weigh=again)) == strategy_hash(Weighed(weigh=rising))
    told = parameters_of(Weighed(weigh=rising))["weigh"]
    assert told["function"] == "rising"
    assert len(told["logic"]) == 64


def test_layout_of_a_function_keeps_the_hash_and_its_logic_flips_it(functions_of):
    lambdas = (
        "weigh = lambda x: x - 1",
        "\n\nweigh = lambda x : (x\n  - 1)",
        "weigh = lambda x: x + 1",
    )
    one, layout, other = [hash_of(functions_of(text)) for text in lambdas]
    assert one == layout != other
    plain = "def weigh(x, k=1):\n    return x - k\n"
    prose = 'def weigh(x, k=1):\n    """Less one."""\n    # k\n    return x - k\n'
    assert hash_of(functions_of(plain)) == hash_of(functions_of(prose))
    assert hash_of(functions_of(plain)) != hash_of(functions_of(plain.replace("k=1", "k=2")))


def test_defaults_and_arguments_that_are_bound_are_values_of_the_function(functions_of):
    text = "K = {}\n\ndef weigh(x, k=K, *, also=2):\n    return x - k\n"
    assert hash_of(functions_of(text.format(1))) != hash_of(functions_of(text.format(2)))
    one, two = partial(np.add, 1), partial(np.add, 2)
    assert hash_of(one) == hash_of(partial(np.add, 1)) != hash_of(two)
    assert parameters_of(partial(rising, close=1))["named"] == {"close": 1}


def test_what_is_no_python_function_is_its_name():
    assert parameters_of(max) == "<built-in function max>"
    assert parameters_of(np.log) == "<ufunc 'log'>"


def test_decorated_function_is_found_by_its_first_line(functions_of):
    text = "def same(f):\n    return f\n\n@same\n@same\ndef weigh(x):\n    return x {} 1\n"
    assert hash_of(functions_of(text.format("+"))) != hash_of(functions_of(text.format("-")))


def test_a_function_that_holds_values_from_around_it_is_refused():
    edge = 3.0
    with pytest.raises(ConfigError, match="holds edge from around it"):
        hash_of(lambda close: close - edge)

    @wraps(rising)
    def wrapped(close):
        return rising(close) * edge

    with pytest.raises(ConfigError, match="holds edge"):
        hash_of(wrapped)


def test_a_function_without_source_is_refused():
    with pytest.raises(ConfigError, match="no source that can be read"):
        hash_of(eval("lambda close: close"))  # noqa: S307 - a function that no file has


def test_one_of_two_lambdas_of_a_line_is_refused():
    pair = (lambda close: close + 1, lambda close: close - 1)
    with pytest.raises(ConfigError, match="2 functions <lambda> begin on line"):
        hash_of(pair[0])


def test_an_object_that_has_no_text_but_its_address_is_refused():
    with pytest.raises(ConfigError, match="where it lies in memory"):
        param_hash(replace(Weighed(), weigh=object()))
