"""What plug-ins of a kind reach is walked once: nothing is missed by that, nor kept too long."""

from abc import ABC, abstractmethod
from functools import lru_cache
from itertools import chain

import pytest

from quant_assets.quant.leaks.memory import Memory
from quant_assets.quant.leaks.reach import Reach, shared_reaches
from quant_assets.quant.strategies import library_strategies, make_strategy

MADE_UP = "quant_assets.quant.made_up"
KEPT = []
SEEN = {"before": 1.0}


@lru_cache
def doubled(n):
    return 2 * n + len(KEPT)


class Holder:
    """An object of a module, with a state."""

    def __init__(self):
        self.inner = None


HOLDER = Holder()
LATER = OTHER = None


def enclosing():
    held = None

    def inside(self):
        return held

    def fill(value):
        nonlocal held
        held = value

    return inside, fill


INSIDE, FILL = enclosing()


@pytest.fixture
def base():
    """A base class as the library's, which its plug-ins share."""

    class Base(ABC):
        inside = INSIDE
        table = None

        @abstractmethod
        def run(self): ...

        def named(self):
            return SEEN, HOLDER, LATER, SOON  # noqa: F821 - not yet

        def given(self, start=None, *, more=None):
            return start, more

    Base.__module__ = MADE_UP
    yield Base
    HOLDER.inner = None
    FILL(None)
    globals()["LATER"] = None
    globals().pop("SOON", None)


def plug_in(base):
    """One of a user, with an attribute of its own."""

    class Own(base):
        def __init__(self):
            self.own = {}

        def run(self):
            return doubled(3)

    return Own()


def later_name(_, state):
    globals()["LATER"] = state


def later_name_that_was_not(base, state):
    base.named.__globals__["SOON"] = state


def later_attribute(base, state):
    base.table = state


def later_new_attribute(base, state):
    base.other = state


def later_method(base, state):
    def named(self):
        return state

    base.named = named


def later_default(base, state):
    base.given.__defaults__ = (state,)


def later_keyword(base, state):
    base.given.__kwdefaults__["more"] = state


def later_code(base, state):
    base.named.__code__ = (lambda self: OTHER).__code__
    globals()["OTHER"] = state


def later_attribute_of_a_function(base, state):
    base.named.remembered = state
    return lambda: base.named.remembered  # what functions hold is put back as a copy


def later_content_of_a_cell(_, state):
    FILL(state)


def later_state_of_an_object(_, state):
    HOLDER.inner = state


WAYS = [value for name, value in dict(globals()).items() if name.startswith("later_")]


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_state_that_the_base_class_reaches_later_is_put_back_as_well(way, base):
    one = plug_in(base)
    (before,) = shared_reaches(one)
    assert shared_reaches(plug_in(base)) == [before]
    state = {"n": [1]}
    now = way(base, state) or (lambda: state)
    memory = Memory(one)
    state["n"].append(2)
    state["more"] = 3
    memory.restore()
    assert now() == {"n": [1]}
    assert shared_reaches(one) != [before]


def test_state_of_the_base_class_is_that_before_each_check(base):
    one = plug_in(base)
    for value in (2.0, 3.0):
        SEEN["before"] = value
        memory = Memory(one)
        SEEN["before"], SEEN["new"] = 0.0, 1.0
        KEPT.append(doubled(5))
        one.own["all"] = base.named.more = base.added = 7
        HOLDER.inner = FILL
        FILL(8)
        memory.restore()
        assert dict(SEEN) == {"before": value}
        assert KEPT == []
        assert doubled.cache_info().currsize == 0
        assert one.own == {}
        assert not hasattr(base, "added")
        assert not hasattr(base.named, "more")
        assert HOLDER.inner is None
        assert INSIDE(one) is None


def test_modules_that_are_called_otherwise_are_seen(base, monkeypatch):
    def named(self):
        return pytest.raises

    base.named = named
    (before,) = shared_reaches(plug_in(base))
    assert before.unchanged()
    monkeypatch.setitem(globals(), "pytest", {"n": 1})
    assert not before.unchanged()


def test_plain_code_and_classes_of_others_share_nothing():
    assert shared_reaches(plug_in) == []
    assert shared_reaches(plug_in(ABC)) == []


def test_plug_in_of_the_library_goes_on_from_what_its_base_class_reaches(base):
    class Own(base):
        held = KEPT

        def run(self):
            return HOLDER

    Own.__module__ = MADE_UP
    own, of_base = shared_reaches(Own())
    assert own.beyond is of_base
    assert shared_reaches(plug_in(base)) == [of_base]
    assert shared_reaches(Own()) == [own, of_base]
    base.table = {"n": 1}
    again, changed = shared_reaches(Own())
    assert changed is not of_base
    assert again.beyond is changed
    KEPT.append(1)
    memory = Memory(Own())
    KEPT.append(2)
    base.table["n"] = 2
    memory.restore()
    assert KEPT == [1]
    assert base.table == {"n": 1}
    KEPT.clear()


NAMES = sorted(library_strategies())


@pytest.mark.parametrize(
    "name", [*NAMES[:2], *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[2:])]
)
def test_what_is_shared_and_what_is_not_are_the_whole(name):
    strategy = make_strategy(name, {})
    whole, (of_class, of_base) = Reach(strategy), shared_reaches(strategy)
    reaches = [whole, Reach(strategy, beyond=of_class), of_class, of_base]
    assert len(of_base.functions) > len(of_class.functions)
    for part in ("functions", "containers", "empty", "caches"):
        every, *parts = (list(map(id, getattr(reach, part))) for reach in reaches)
        assert sorted(every) == sorted(chain(*parts))
