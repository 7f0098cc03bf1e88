"""Parameters of plug-ins: declared with their range, checked when the plug-in is made.

    @dataclass(frozen=True, kw_only=True)
    class TrailingStop(ExitRule):
        name: ClassVar[str] = "trailing_stop"
        pct: float = number(0.02, above=0.0, below=1.0)

A value of another type or outside of its range is a `ConfigError` that names plug-in, parameter and
value. Plug-ins are made of what YAML says: a name, or a name with its parameters.
"""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar, cast

from quant_assets.core.errors import ConfigError
from quant_assets.core.hashing import code_digest, digest
from quant_assets.core.registry import get

T = TypeVar("T")
_RANGE = "range"


@dataclass(frozen=True)
class Range:
    """Which values a parameter takes: numbers between bounds, or one of some words."""

    whole: bool = False
    least: float = -math.inf
    above: float = -math.inf
    most: float = math.inf
    below: float = math.inf
    options: tuple[str, ...] = ()
    optional: bool = False
    infinite: bool = False

    def __str__(self) -> str:
        if self.options:
            return f"one of {', '.join(self.options)}"
        bounds = {
            "at least": self.least,
            "above": self.above,
            "at most": self.most,
            "below": self.below,
        }
        told = [f"{word} {bound:g}" for word, bound in bounds.items() if math.isfinite(bound)]
        kind = "a whole number" if self.whole else "a number"
        return " and ".join([kind, *told]) if told else kind

    def holds(self, value: Any) -> bool:
        """Whether `value` is of the type and inside of the bounds."""
        if self.options:
            return isinstance(value, str) and value in self.options
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return False
        if not math.isfinite(value):
            return self.infinite and value == math.inf
        return self.least <= value <= self.most and self.above < value < self.below


def number(
    default: float,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    most: float = math.inf,
    below: float = math.inf,
) -> float:
    """A real parameter, finite unless its default is infinity."""
    infinite = math.isinf(default)
    bounds = Range(least=least, above=above, most=most, below=below, infinite=infinite)
    return field(default=default, metadata={_RANGE: bounds})


def optional_number(*, least: float = -math.inf, above: float = -math.inf) -> float | None:
    """A real parameter that may be left out."""
    bounds = Range(least=least, above=above, optional=True)
    return cast("float | None", field(default=None, metadata={_RANGE: bounds}))


def whole(default: int, *, least: float = -math.inf) -> int:
    """A whole parameter: bars, counts."""
    return field(default=default, metadata={_RANGE: Range(whole=True, least=least)})


def choice(default: str, *others: str) -> Any:
    """One of some words; the first is the default."""
    return field(default=default, metadata={_RANGE: Range(options=(default, *others))})


def numbers_by_symbol(*, least: float = -math.inf, above: float = -math.inf) -> Mapping[str, float]:
    """A number for each of some symbols; none by default."""
    bounds = Range(least=least, above=above)
    return cast(
        "Mapping[str, float]",
        field(default_factory=dict, metadata={"by_symbol": True, _RANGE: bounds}),
    )


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Base of plug-ins with declared parameters."""

    name: ClassVar[str]

    def __post_init__(self) -> None:
        for one in fields(self):
            bounds = one.metadata.get(_RANGE)
            if bounds is None:
                continue
            value = getattr(self, one.name)
            if one.metadata.get("by_symbol"):
                self._keep(one.name, self._table(one.name, value, bounds))
            elif not (value is None and bounds.optional):
                self._keep(one.name, self._checked(one.name, value, bounds))

    def _keep(self, parameter: str, value: Any) -> None:
        object.__setattr__(self, parameter, value)

    def _checked(self, parameter: str, value: Any, bounds: Range) -> Any:
        if not bounds.holds(value):
            raise ConfigError(f"{self.name}: {parameter} is {value!r}; it must be {bounds}")
        return value if bounds.whole or bounds.options else float(value)

    def _table(self, parameter: str, value: Any, bounds: Range) -> dict[str, float]:
        if not isinstance(value, Mapping):
            raise ConfigError(
                f"{self.name}: {parameter} is {value!r}; it must map symbols to numbers"
            )
        return {
            str(symbol): self._checked(f"{parameter} of {symbol}", one, bounds)
            for symbol, one in sorted(value.items())
        }

    def parameters(self) -> dict[str, Any]:
        """Values by name, as YAML would give them."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def digest(self) -> str:
        """SHA-256 of name, parameters and logic; comments and docstrings do not count."""
        logic = code_digest((type(self).__module__,))
        return digest({"name": self.name, "parameters": self.parameters(), "logic": logic})


def make(package: str, base: type[T], name: str, parameters: Mapping[str, Any] | None = None) -> T:
    """The plug-in called `name` with these parameters; unknown ones are a `ConfigError`."""
    kind = get(package, base, name)
    given = parameters or {}
    if not isinstance(given, Mapping):
        raise ConfigError(f"{name}: parameters are {given!r}; write them as a mapping")
    known = [one.name for one in fields(cast("Any", kind)) if one.init]
    for parameter in given:
        if parameter not in known:
            near = difflib.get_close_matches(str(parameter), known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"{name} has no parameter {parameter!r}; it has {known}{hint}")
    try:
        return kind(**given)
    except TypeError as cause:
        raise ConfigError(f"{name}: {cause}; it has {known}") from cause


def plug_in(package: str, base: type[T], spelling: Any) -> T:
    """A plug-in as settings spell it: itself, its name, or `{name: {parameter: value}}`."""
    if isinstance(spelling, base):
        return spelling
    if isinstance(spelling, str):
        return make(package, base, spelling)
    if isinstance(spelling, Mapping) and len(spelling) == 1:
        name, parameters = next(iter(spelling.items()))
        return make(package, base, str(name), parameters)
    raise ConfigError(
        f"{spelling!r} is no {base.__name__}: give its name, or its name with parameters, as in "
        "{name: {parameter: value}}"
    )
