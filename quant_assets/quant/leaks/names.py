"""Names that code looks up, and what a module or a class holds under them."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, repeat
from operator import eq, getitem, is_
from types import CodeType, ModuleType
from typing import Any

ABSENT: Any = object()
MOST_CODES = 16_384
NO_OVERLAP: Any = type({}.keys()).isdisjoint
_READ: dict[int, tuple[CodeType, tuple[str, ...]]] = {}  # by id: to hash code takes a microsecond


def names_in(code: CodeType) -> tuple[str, ...]:
    """Names that code and the functions inside it look up, each once."""
    read = _READ.get(id(code))
    if read is None:
        if len(_READ) >= MOST_CODES:
            _READ.clear()
        found = dict.fromkeys(name for part in codes_of(code) for name in part.co_names)
        read = _READ[id(code)] = code, tuple(found)
    return read[1]


def codes_of(code: CodeType) -> Iterator[CodeType]:
    """Code and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_of(constant)


class Names:
    """What a module or a class holds under names that code looks up, as it was when looked up.

    owner : the variables of a module, or a class. beyond : names that are known already.
    """

    __slots__ = ("_beyond", "absent", "modules", "owner", "place", "present")

    def __init__(self, owner: Any, beyond: "Names | None" = None) -> None:
        self.owner = owner
        self.place: Mapping[str, Any] = owner if isinstance(owner, dict) else vars(owner)
        self.present: dict[str, Any] = {}
        self.modules: dict[str, ModuleType] = {}
        self.absent: set[str] = set()
        self._beyond = beyond

    def look_up(self, code: CodeType) -> Iterator[Any]:
        """Values under the names of code that nobody looked up before; modules are left alone."""
        for name in names_in(code):
            if name in self:
                continue
            value = self.place.get(name, ABSENT)
            if value is ABSENT:
                self.absent.add(name)
            elif isinstance(value, ModuleType):
                self.modules[name] = value
            else:
                self.present[name] = value
                yield value

    def __contains__(self, name: str) -> bool:
        """Whether a name was looked up."""
        if name in self.absent or name in self.present or name in self.modules:
            return True
        return self._beyond is not None and name in self._beyond

    def restore(self) -> None:
        """Put everything back."""
        for name, value in self.present.items():
            if self.place.get(name, ABSENT) is value:
                continue
            if isinstance(self.owner, dict):
                self.owner[name] = value
            else:
                setattr(self.owner, name, value)
        for name in self.absent & self.place.keys():
            del self.owner[name]


class ManyNames:
    """Names of many modules and classes: most are as they were, which is seen at a glance."""

    def __init__(self, every: Iterable[Names]) -> None:
        self._every = list(every)
        self._keys = list(chain.from_iterable(one.present for one in self._every))
        self._values = list(chain.from_iterable(one.present.values() for one in self._every))
        self._places = [
            place for one in self._every for place in repeat(one.place, len(one.present))
        ]
        unknown = [one for one in self._every if one.absent]
        self._views, self._absent = [o.place.keys() for o in unknown], [o.absent for o in unknown]

    def unchanged(self) -> bool:
        """Whether under each name there is what there was, or nothing as before."""
        try:
            same = all(map(is_, map(getitem, self._places, self._keys), self._values))
        except KeyError:
            return False
        return same and all(map(NO_OVERLAP, self._views, self._absent))

    def same_modules(self) -> bool:
        """Whether modules are still called what they were called."""
        return all(
            one.place.get(name) is value
            for one in self._every
            for name, value in one.modules.items()
        )

    def restore(self) -> None:
        """Put everything back."""
        if not self.unchanged():
            for one in self._every:
                one.restore()


class States:
    """What some dictionaries held: whether they hold it still is seen at a glance."""

    def __init__(self, every: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> None:
        self._every = list(every)
        self._keys_now = [now.keys() for now, _ in self._every]
        self._keys = [saved.keys() for _, saved in self._every]
        self._now = [now.values() for now, _ in self._every]
        self._values = list(chain.from_iterable(saved.values() for _, saved in self._every))

    def unchanged(self) -> bool:
        """Whether under the same names there are the same objects, in the same order."""
        return all(map(eq, self._keys_now, self._keys)) and all(
            map(is_, chain.from_iterable(self._now), self._values)
        )

    def changed(self) -> list[tuple[Any, Mapping[str, Any]]]:
        """Those that hold something else, with what they held."""
        if self.unchanged():
            return []
        return [one for one in self._every if not States([one]).unchanged()]
