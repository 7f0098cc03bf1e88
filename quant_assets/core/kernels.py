"""Compiled functions that call compiled functions of other files, and are kept on disk.

numba stamps machine code on disk with a hash of the file that defines the function. What it was
compiled from may stand in other files: functions that it calls, constants. Here the stamp covers
those too: the file and all files of the same package that it imports at module level, and they in
turn. A change in any of them compiles the function again, in the next process. Take each name from
the module that defines it: what a package passes on is not followed.

This is the only module that touches what numba keeps for itself (numba 0.68): `_cache`,
`_cache_file` and `_source_stamp` of a dispatcher, and `get_call_template`, where it finds the
version of a function for a call. Where these are not found, nothing is kept on disk.

Import this module lazily: it loads numba.
"""

import ast
import hashlib
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit, types

__all__ = ["across_files", "source_files", "source_stamp"]

Function = TypeVar("Function", bound=Callable[..., Any])
DEFINITION = re.compile(  # a function or class at the left margin
    rb"^(?:@|def |async def |class )[^\n]*\n(?:[ \t)][^\n]*\n|\n)*", re.MULTILINE
)


def across_files(**options: Any) -> Callable[[Function], Function]:
    """A decorator like `numba.njit(cache=True, **options)` whose stamp covers imported files.

    A function is compiled once for integers, not anew for every constant that it is called with.
    """

    def compiled(function: Function) -> Function:
        dispatcher: Any = njit(cache=True, **options)(function)
        try:
            stamped = dispatcher._cache._cache_file
            stamped._source_stamp = (stamped._source_stamp, stamp_of(function))
            dispatcher.get_call_template = _without_literals(dispatcher.get_call_template)
        except (AttributeError, OSError):  # another numba, or no file that can be read
            dispatcher = njit(**options)(function)
        return cast("Function", dispatcher)

    return compiled


def _without_literals(template: Callable[..., Any]) -> Callable[..., Any]:
    """The same look-up, for the types of constants instead of the constants themselves."""
    plain_type: Callable[[Any], Any] = types.unliteral

    def get(arguments: Any, keywords: Any) -> Any:
        plain = {name: plain_type(kind) for name, kind in keywords.items()}
        return template(tuple(map(plain_type, arguments)), plain)

    return get


def stamp_of(function: Callable[..., Any]) -> str:
    """The stamp of the file that a function is defined in."""
    return source_stamp(Path(function.__code__.co_filename))


@cache
def source_stamp(file: Path) -> str:
    """SHA-256 of the file and of all that it imports from its own package, also indirectly."""
    total = hashlib.sha256()
    for one in source_files(file):
        total.update(_read(one)[1])
    return total.hexdigest()


def source_files(file: Path) -> list[Path]:
    """The file and those of its package that it imports at module level, and they, sorted."""
    seen: set[Path] = set()
    pending = [file.resolve()]
    while pending:
        one = pending.pop()
        if one not in seen:
            seen.add(one)
            pending.extend(_read(one)[0])
    return sorted(seen)


@cache
def _read(file: Path) -> tuple[tuple[Path, ...], bytes]:
    """Files that a file imports, and the hash of its own text."""
    source = file.read_bytes()
    place = file.parent
    while (place.parent / "__init__.py").is_file():
        place = place.parent
    package = file.relative_to(place.parent).parts
    found = {
        path
        for module, names in _imports(_outline(source), package[:-1])
        if module and module[0] == package[0]
        for path in _files(place.parent.joinpath(*module), names)
    }
    return tuple(found), hashlib.sha256(source).digest()


def _outline(source: bytes) -> list[ast.stmt]:
    """Statements of a module; without its functions, which take most of the time to parse."""
    try:
        return ast.parse(DEFINITION.sub(b"", source)).body
    except SyntaxError:  # text at the left margin inside of a function
        return ast.parse(source).body


def _files(place: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """What `from place import names` may read: the module, or modules of a package."""
    candidates = [place.with_suffix(".py"), place / "__init__.py"]
    candidates += [place / f"{name}.py" for name in names]
    return (path for path in candidates if path.is_file())


def _imports(
    body: list[ast.stmt], package: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Modules, as the parts of their names, that statements import; functions are not entered."""
    for statement in body:
        if isinstance(statement, ast.Import):
            for name in statement.names:
                yield tuple(name.name.split(".")), ()
        elif isinstance(statement, ast.ImportFrom):
            base = package[: len(package) + 1 - statement.level] if statement.level else ()
            module = tuple(statement.module.split(".")) if statement.module else ()
            yield (*base, *module), tuple(name.name for name in statement.names)
        elif isinstance(statement, ast.If | ast.Try):
            yield from _imports([*statement.body, *statement.orelse], package)
