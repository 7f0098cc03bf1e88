"""What the source code says: lines to look at, and calls that ask a clock.

Nothing here decides whether there is a leak; that is measured. These lines say where to look.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Sequence
from types import FunctionType

from quant_assets.quant.leaks.names import names_in

SUSPECTS: tuple[tuple[str, str], ...] = (
    (r"\.shift\(\s*-|periods\s*=\s*-", "a shift by a negative number brings later rows back"),
    (r"\.diff\(\s*-|pct_change\(\s*-", "a difference to a later row"),
    (r"center\s*=\s*True", "a centred window reaches as far forward as back"),
    (r"\bbfill\b|backfill|limit_direction", "gaps are filled from later rows"),
    (r"\.interpolate\(", "interpolation uses the next value"),
    (r"\[::-1\]|\.sort_values\(|\bargsort\b", "an order that is not time's"),
    (r"np\.roll\(", "roll brings the end to the start, or later rows back"),
    (r"np\.gradient\(|filtfilt|savgol|np\.fft|argrelextrema|find_peaks", "a filter of both sides"),
    (r"fit_transform|\.fit\(|StandardScaler|MinMaxScaler", "fitted on what it is then applied to"),
    (r"\.resample\(|\bGrouper\(|\.floor\(|\.normalize\(", "a bucket is labelled before it is full"),
    (r"merge_asof|\.reindex\(|\.asof\(", "a join by open time shows a bar before it has closed"),
    (r"\.transform\(|\.groupby\(", "a group holds later rows of its bucket"),
    (r"\b(quantile|percentile|qcut|cut|rank)\(", "ranks or quantiles of all rows"),
    (r"\b(mean|std|max|min|median|sum)\(\s*(axis\s*=\s*0)?\s*\)", "a statistic of all rows"),
    (r"\[-1\]", "the last row of the data"),
    (r"\b[ti]\s*\+\s*\d", "an index ahead of its row"),
    (r"\[\d+:\]", "an array moved against its rows"),
)
CLOCKS = frozenset({"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime"})
CLOCK_OWNERS = frozenset({"datetime", "date", "time", "Timestamp", "dt", "pd", "pandas"})
MOST_LINES = 3


def suspects(functions: Sequence[FunctionType]) -> tuple[str, ...]:
    """Lines of code that often are the cause, with what they do."""
    found = []
    for function in functions:
        source, first = _source(function)
        for number, line in enumerate(source.splitlines()):
            code = line.split("#")[0]
            reason = next((why for pattern, why in SUSPECTS if re.search(pattern, code)), None)
            if reason is not None:
                found.append(f"{function.__name__}:{first + number}: {code.strip()}: {reason}")
    return tuple(found[:MOST_LINES])


def clock_reads(functions: Sequence[FunctionType]) -> tuple[str, ...]:
    """Calls of the wall clock in code; only what names one at all is read."""
    found = []
    for function in functions:
        if CLOCKS.isdisjoint(names_in(function.__code__)):
            continue
        source, first = _source(function)
        try:
            tree = ast.parse(textwrap.dedent(source))
        except SyntaxError:  # a lambda inside an expression
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _asks_a_clock(node.func):
                line = first + node.lineno - 1
                found.append(f"{function.__name__}:{line}: {ast.unparse(node)}")
    return tuple(found)


def _asks_a_clock(called: ast.expr) -> bool:
    if not isinstance(called, ast.Attribute) or called.attr not in CLOCKS:
        return False
    owner = called.value
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return name in CLOCK_OWNERS


def _source(function: FunctionType) -> tuple[str, int]:
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        return "", 0
    return "".join(lines), first
