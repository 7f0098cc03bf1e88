"""A misspelt keyword says what was meant."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from quant_assets.core.errors import ConfigError
from quant_assets.quant.strategies.plugin_settings import suggestion

__all__ = ["KeywordError", "check_keywords", "hinting"]

T = TypeVar("T", bound=Callable[..., Any])


class KeywordError(ConfigError, TypeError):
    """A call with a keyword that the function does not have."""


def check_keywords(function: Callable[..., Any], name: str, given: Mapping[str, Any]) -> None:
    """`KeywordError` for what a function, or a class that is made, does not take by name."""
    known, anything = _keywords(function)
    for keyword in given:
        if not anything and keyword not in known:
            shown = [one for one in known if one[0] != "_"]
            hint = suggestion(str(keyword), dict.fromkeys(shown))
            raise KeywordError(f"{name} takes no {keyword!r}; {hint}")


def hinting(made: T) -> T:
    """A function, or a class (its making), that refuses unknown keywords with a suggestion."""
    name = made.__name__
    if isinstance(made, type):
        kind: Any = made
        kind.__init__ = _checked(kind.__init__, name)
        return made
    return cast("T", _checked(made, name))


def _checked(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **keywords: Any) -> Any:
        known, anything = _keywords(function)
        if not (anything or known.issuperset(keywords)):
            check_keywords(function, name, keywords)
        return function(*args, **keywords)

    return call


@functools.cache
def _keywords(function: Callable[..., Any]) -> tuple[frozenset[str], bool]:
    """Names that a function takes, and whether it takes any other as well."""
    parameters = inspect.signature(function).parameters.values()
    by_name = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    known = [one.name for one in parameters if one.kind in by_name]
    anything = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters)
    return frozenset(known) - {"self"}, anything
