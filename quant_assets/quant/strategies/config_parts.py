"""Plug-ins of a strategy file, made of its entries; every problem is kept with its line."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from quant_assets.core.errors import ConfigError
from quant_assets.core.yaml_loader import Keys, Located, problems
from quant_assets.quant.indicators.base import Indicator, catalogue
from quant_assets.quant.market.longer_bars import timeframe_length
from quant_assets.quant.risk.base import RiskRule
from quant_assets.quant.risk.combined import risk_rules
from quant_assets.quant.sizing.entry.base import EntrySizer, entry_sizers
from quant_assets.quant.strategies.base import Strategy
from quant_assets.quant.strategies.columns import TimedIndicator
from quant_assets.quant.strategies.library import library_strategies
from quant_assets.quant.strategies.plugin_settings import (
    settings_model,
    suggestion,
    values_of,
    with_short_names,
)
from quant_assets.quant.strategies.regimes.base import RegimeFilter, regimes
from quant_assets.quant.strategies.rule_signals import RuleSignals
from quant_assets.quant.strategies.rules.base import AllOf, AnyOf, Condition, Not, Rule, rules

T = TypeVar("T")
Found = Sequence[Indicator[Any] | TimedIndicator]
COMPONENTS, TIMEFRAME = "components", "timeframe"


class Parts:
    """Reads entries of one file; what is wrong is collected until `refuse`.

    primary : length of the bars that the file is made for, where it says so.
    """

    def __init__(self, located: Located, primary: timedelta | None = None) -> None:
        self._located, self._primary = located, primary
        self._problems: list[tuple[int, str]] = []

    def refuse(self) -> None:
        """`ConfigError` with every problem found so far, one line each."""
        if self._problems:
            listing = sorted(set(self._problems))
            raise ConfigError("\n".join(f"{self._located.path}:{n}: {text}" for n, text in listing))

    def problem(self, keys: Keys, text: str) -> None:
        """Keep a problem at a key path."""
        dotted = ".".join(str(key) for key in keys)
        self._problems.append((self._located.line(keys), f"{dotted}: {text}"))

    @contextmanager
    def at(self, *keys: str | int) -> Iterator[None]:
        """Keep a `ConfigError` of the body as a problem at a key path."""
        try:
            yield
        except ConfigError as error:
            self.problem(keys, str(error))

    def indicators(self, entries: Sequence[Any]) -> Found:
        """The indicators that the file declares."""
        keys: Keys = (COMPONENTS, "indicators")
        found: list[Indicator[Any] | TimedIndicator] = []
        for i, entry in enumerate(entries):
            plain, timeframe = self._timeframe((*keys, i), entry)
            made = self._plug_in((*keys, i), plain, catalogue())
            if made is not None:
                found.append(TimedIndicator(made, timeframe) if timeframe else made)
        return found

    def source(self, entries: Mapping[str, Any], known: Found) -> Strategy | None:
        """Who decides: a condition for each signal, or a strategy of the library."""
        keys: Keys = (COMPONENTS, "signals")
        if "strategy" in entries:
            return self._plug_in((*keys, "strategy"), entries["strategy"], library_strategies())
        made = {name: self._all((*keys, name), one, known) for name, one in entries.items()}
        given: dict[str, Any] = {name: one for name, one in made.items() if one is not None}
        return RuleSignals(**given) if {"entry_long", "entry_short"} & set(given) else None

    def sizer(self, name: str, params: Mapping[str, Any]) -> EntrySizer | None:
        """The entry sizer called `name`."""
        keys: Keys = (COMPONENTS, "sizing", "type")
        kinds = entry_sizers()
        if name not in kinds:
            self.problem(keys, f"no sizer {name!r}; {suggestion(name, kinds)}")
            return None
        return self._made((COMPONENTS, "sizing", "params"), kinds[name], params)

    def risk(self, entries: Sequence[Any]) -> list[RiskRule]:
        """The risk rules of the file."""
        keys: Keys = (COMPONENTS, "risk")
        made = [self._plug_in((*keys, i), one, risk_rules()) for i, one in enumerate(entries)]
        return [one for one in made if one is not None]

    def regime(self, section: Mapping[str, Any]) -> RegimeFilter | None:
        """The filter of entries by regime."""
        keys: Keys = (COMPONENTS, "regime")
        classifier = self._plug_in((*keys, "classifier"), section["classifier"], regimes())
        if classifier is None:
            return None
        unknown = [label for label in section["allowed"] if label not in classifier.labels]
        for label in unknown:
            hint = suggestion(label, dict.fromkeys(classifier.labels))
            text = f"{classifier.name} has no regime {label!r}; {hint}"
            self.problem((*keys, "allowed", section["allowed"].index(label)), text)
        if unknown:
            return None
        return RegimeFilter(section["allowed"], section["confidence_threshold"], classifier)

    def _all(self, keys: Keys, entries: Any, known: Found) -> Condition | None:
        """The conditions of a list as one that needs them all."""
        members = self._members(keys, entries, known)
        if not members:
            return None
        return members[0] if len(members) == 1 else AllOf(tuple(members))

    def _members(self, keys: Keys, entries: Any, known: Found) -> list[Condition]:
        if not isinstance(entries, list) or not entries:
            self.problem(keys, "a list of rules is expected")
            return []
        made = [self._condition((*keys, i), one, known) for i, one in enumerate(entries)]
        return [one for one in made if one is not None]

    def _condition(self, keys: Keys, entry: Any, known: Found) -> Condition | None:
        """A rule, or `all`, `any` of a list, `not` of one."""
        word, inside = _single(entry)
        if word == "all":
            return self._all((*keys, word), inside, known)
        if word == "any":
            members = self._members((*keys, word), inside, known)
            return AnyOf(tuple(members)) if members else None
        if word == "not":
            member = self._condition((*keys, word), inside, known)
            return Not(member) if member is not None else None
        return self._rule(keys, entry, known)

    def _rule(self, keys: Keys, entry: Any, known: Found) -> Condition | None:
        """A rule, asked of the timeframe that it or its declared indicator says."""
        plain, timeframe = self._timeframe(keys, entry)
        name, _ = _single(plain)
        kind = rules().get(name or "")
        declared = [one for one in known if kind and _indicator(one).name in kind.takes]
        if not timeframe and len(declared) == 1:
            timeframe = _timeframe(declared[0])
        matching = [_indicator(one) for one in declared if _timeframe(one) == timeframe]
        rule = self._plug_in(keys, plain, rules(), matching)
        return rule.on(timeframe) if rule is not None and timeframe else rule

    def _timeframe(self, keys: Keys, entry: Any) -> tuple[Any, str]:
        """The entry without its `timeframe`, and that; "" where it has none or a wrong one."""
        name, given = _single(entry)
        if not isinstance(given, Mapping) or TIMEFRAME not in given:
            return entry, ""
        timeframe = given[TIMEFRAME]
        plain = {name: {key: value for key, value in given.items() if key != TIMEFRAME}}
        try:
            timeframe_length(timeframe, primary=self._primary)
        except ConfigError as error:
            self.problem((*keys, str(name), TIMEFRAME), str(error))
            return plain, ""
        return plain, str(timeframe)

    def _plug_in(
        self,
        keys: Keys,
        entry: Any,
        kinds: Mapping[str, type[T]],
        known: Sequence[Indicator[Any]] = (),
    ) -> T | None:
        """The plug-in of `name`, or of `{name: {parameter: value}}`."""
        name, given = _single(entry)
        if name is None:
            self.problem(keys, "write one plug-in as `name: {parameter: value}`")
            return None
        if isinstance(entry, Mapping):
            keys = (*keys, name)
        if name not in kinds:
            self.problem(keys, f"unknown plug-in {name!r}; {suggestion(name, kinds)}")
            return None
        if given is not None and not isinstance(given, Mapping):
            self.problem(keys, f"parameters are expected as a mapping (found {given!r})")
            return None
        return self._made(keys, kinds[name], given or {}, known)

    def _made(
        self,
        keys: Keys,
        kind: type[T],
        given: Mapping[str, Any],
        known: Sequence[Indicator[Any]] = (),
    ) -> T | None:
        values, written = dict(given), {name: name for name in given}
        if issubclass(kind, Indicator):
            values, written = with_short_names(given, kind)
        model = settings_model(cast("Any", kind))
        try:
            checked = values_of(model.model_validate(values))
        except ValidationError as error:
            for one in problems(error, model, values):
                place = tuple(written.get(str(key), key) for key in one.keys)
                self.problem((*keys, *place), one.message)
            return None
        if issubclass(kind, Rule):
            checked = self._taken(keys, kind, known) | checked
        try:
            return kind(**checked)
        except ConfigError as error:
            self.problem(keys, str(error))
            return None

    def _taken(
        self, keys: Keys, kind: type[Rule], known: Sequence[Indicator[Any]]
    ) -> dict[str, Any]:
        """Parameters of a rule that the declared indicator of its kind says."""
        found: dict[str, Any] = {}
        for indicator, parameters in kind.takes.items():
            declared = [one for one in known if one.name == indicator]
            if len(declared) > 1:
                asked = ", ".join(parameters)
                given = self._located_value(keys)
                if not set(parameters) <= set(given):
                    self.problem(keys, f"{len(declared)} {indicator} are declared; give {asked}")
            elif declared:
                found |= {own: getattr(declared[0], of) for own, of in parameters.items()}
        return found

    def _located_value(self, keys: Keys) -> Mapping[str, Any]:
        data = self._located.data
        for key in keys:
            data = data[key]
        return data if isinstance(data, Mapping) else {}


def _indicator(one: Indicator[Any] | TimedIndicator) -> Indicator[Any]:
    return one.indicator if isinstance(one, TimedIndicator) else one


def _timeframe(one: Indicator[Any] | TimedIndicator) -> str:
    return one.timeframe if isinstance(one, TimedIndicator) else ""


def _single(entry: Any) -> tuple[str | None, Any]:
    """Name and parameters of an entry that has exactly one; else (None, None)."""
    if isinstance(entry, str):
        return entry, None
    if isinstance(entry, Mapping) and len(entry) == 1:
        return next(iter(entry.items()))
    return None, None
