"""Parameters that are functions: told by their logic, as the hash of a strategy is."""

import ast
import inspect
from functools import cache
from types import CodeType, FunctionType

from quant_assets.core.errors import ConfigError
from quant_assets.core.hashing import source_digest

Named = ast.FunctionDef | ast.AsyncFunctionDef


def logic_of(function: FunctionType) -> str:
    """Digest of a function's normalised syntax tree: the same text, the same in every process.

    Names that it reads from its module count by their name alone, as other modules' do in the hash
    of a strategy.

    Raises
    ------
    ConfigError
        A function that holds values from around it (they could change and would not be told), one
        without source, or one of several lambdas that begin on one line.
    """
    held = function.__code__.co_freevars
    if held:
        raise ConfigError(
            f"the function {function.__qualname__} holds {', '.join(held)} from around it, so "
            "its hash cannot be told: make these parameters of the strategy, or defaults of its own"
        )
    return _digest(function.__code__)


@cache
def _digest(code: CodeType) -> str:
    try:
        tree = ast.parse("".join(inspect.findsource(code)[0]))
    except (OSError, SyntaxError) as cause:
        raise ConfigError(
            f"the function {code.co_qualname} has no source that can be read, so its hash cannot "
            "be told: put it into a file"
        ) from cause
    found = [node for node in ast.walk(tree) if _is(node, code)]
    if len(found) != 1:
        raise ConfigError(
            f"{len(found)} functions {code.co_name} begin on line {code.co_firstlineno} of "
            f"{code.co_filename}, so the hash of one cannot be told: give it a name with def"
        )
    return source_digest(ast.unparse(found[0]))


def _is(node: ast.AST, code: CodeType) -> bool:
    """Whether a node begins where the code does, and is called as it is."""
    if isinstance(node, Named):
        first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        return node.name == code.co_name and first == code.co_firstlineno
    named = code.co_name == "<lambda>"
    return named and isinstance(node, ast.Lambda) and node.lineno == code.co_firstlineno
