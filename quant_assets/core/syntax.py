"""What a module's source says: a digest of its logic, and what it imports from this package.

Parsing all modules of the package takes about a second, so what was found is kept between
processes, by the hash of the source: in `$XDG_CACHE_HOME/quant_assets`, else
`~/.cache/quant_assets`. It is only a shortcut: a file that is missing, damaged or not writable
changes no digest.
"""

import ast
import contextlib
import hashlib
import json
import os
import platform
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = "quant_assets"
MOST_SOURCES = 4096


@dataclass(frozen=True)
class Syntax:
    """A module's logic.

    `imports` has a pair for each import statement of ours: the module that names are taken from
    (empty for a plain `import` and for a `Deferred` module), and these names.
    """

    digest: str
    imports: tuple[tuple[str, tuple[str, ...]], ...]


class _Normalizer(ast.NodeTransformer):
    """Drop docstrings, so that prose never changes a code digest."""

    def _strip(self, node: Any) -> Any:
        self.generic_visit(node)
        first = node.body[0] if node.body else None
        if (
            isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and isinstance(first.value.value, str)
        ):
            node.body = node.body[1:] or [ast.Pass()]
        return node

    # Names that ast.NodeTransformer looks for.
    visit_Module = visit_ClassDef = _strip  # noqa: N815
    visit_FunctionDef = visit_AsyncFunctionDef = _strip  # noqa: N815


def parse(source: str) -> Syntax:
    """Read a source text; comments, docstrings, layout and line numbers do not count."""
    tree = ast.parse(source)
    imports = tuple(_imports(tree))
    text = ast.dump(_Normalizer().visit(tree), include_attributes=False)
    return Syntax(hashlib.sha256(text.encode()).hexdigest(), imports)


def _imports(tree: ast.AST) -> Iterator[tuple[str, tuple[str, ...]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = tuple(name.name for name in node.names if _is_ours(name.name))
            if names:
                yield "", names
        elif isinstance(node, ast.ImportFrom) and not node.level and _is_ours(str(node.module)):
            yield str(node.module), tuple(name.name for name in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Deferred":
            named = [str(a.value) for a in node.args if isinstance(a, ast.Constant)]
            yield "", tuple(filter(_is_ours, named))


def _is_ours(module: str) -> bool:
    return module == PACKAGE or module.startswith(f"{PACKAGE}.")


@dataclass
class SyntaxCache:
    """`parse`, remembered in a file between processes. The file's first line checks the rest."""

    path: Path | None
    _known: dict[str, Syntax] = field(default_factory=dict)
    _is_new: bool = False

    @classmethod
    def open(cls, path: Path | None) -> "SyntaxCache":
        """Read what other processes found; nothing when there is no such file, or a damaged one."""
        known = {}
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            if path is not None:
                check, _, body = path.read_bytes().partition(b"\n")
                if hashlib.sha256(body).hexdigest().encode() == check:
                    known = {key: _syntax(*entry) for key, entry in json.loads(body).items()}
        return cls(path, known)

    def parse(self, source: str) -> Syntax:
        """What `parse` says about a source text."""
        key = hashlib.sha256(f"{_maker()}\n{source}".encode()).hexdigest()
        found = self._known.pop(key, None)
        if found is None:
            found, self._is_new = parse(source), True
        self._known[key] = found  # the newest come last
        return found

    def save(self) -> None:
        """Keep what was parsed for the next process, where a file can be written."""
        if self.path is None or not self._is_new:
            return
        newest = dict(list(self._known.items())[-MOST_SOURCES:])
        entries = {key: [syntax.digest, syntax.imports] for key, syntax in newest.items()}
        body = json.dumps(entries, separators=(",", ":")).encode()
        temp = self.path.with_name(f"{self.path.name}.{os.getpid()}-{secrets.token_hex(4)}")
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temp.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            os.replace(temp, self.path)
        self._is_new = False


def _syntax(digest: str, imports: list[tuple[str, list[str]]]) -> Syntax:
    return Syntax(digest, tuple((module, tuple(names)) for module, names in imports))


@cache
def _maker() -> str:
    """What the outcome of `parse` depends on besides the source: this file, and Python's `ast`."""
    return f"{platform.python_version()} {hashlib.sha256(Path(__file__).read_bytes()).hexdigest()}"


@cache
def syntax_cache() -> SyntaxCache:
    """The cache of this user."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:  # a user without a home
        return SyntaxCache.open(None)
    return SyntaxCache.open(Path(home) / PACKAGE / "syntax.json")
