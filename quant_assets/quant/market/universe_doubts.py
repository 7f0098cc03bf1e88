"""What a backtest should say of its universe: who could be traded is what survivorship hides in."""

import numpy as np

from quant_assets.quant.market.bar_panel import BarPanel

__all__ = ["universe_doubts"]

ENDED = 5  # bars without a price at the end: longer than a weekend with holidays
MANY, YEARS = 20, 2.0  # symbols, and years, of which some should have ended or changed
SHOWN = 3  # symbols by name


def universe_doubts(bars: BarPanel) -> tuple[str, ...]:
    """One line for each doubt; none: the universe is what was known, as far as the bars show.

    Without a universe: symbols that end, or many that all live to the last bar. With one: members
    that the bars lack, the same members at all times, and a time without any.
    """
    if len(bars) == 0 or len(bars.symbols) < 2:
        return ()
    found = _without(bars) if bars.universe is None else _of_universe(bars)
    return tuple(line for line in found if line)


def _without(bars: BarPanel) -> list[str]:
    known = ~np.isnan(bars.close)
    traded = np.flatnonzero(known.any(axis=0))
    gone = [s for s in traded.tolist() if not known[-ENDED:, s].any()] if len(bars) > ENDED else []
    if gone:
        names = _names([bars.symbols[s] for s in gone])
        return [
            f"UNIVERSE: none was given, and {names} end before the bars do: all symbols count as "
            "tradable from their first bar on, as if it had been known which there would be. Give "
            "universe= (--universe)"
        ]
    if len(traded) < MANY or _years(bars) < YEARS:
        return []
    return [
        f"SURVIVORS? None of the {len(traded)} symbols ends in {_years(bars):.1f} years and no "
        "universe was given: symbols that are chosen today are those that did not fail. Give "
        "universe= (--universe)"
    ]


def _of_universe(bars: BarPanel) -> list[str]:
    universe, members = bars.universe, bars.members
    lines = []
    absent = () if universe is None else universe.absent
    if absent:
        lines.append(
            f"UNIVERSE: there are no bars of {_names(list(absent))}, members in this time: what "
            "became of them is not in the result"
        )
    some = members.any(axis=1)
    if not some.any():
        return [*lines, "UNIVERSE: no symbol of the bars is ever a member: nothing is traded"]
    first = int(np.argmax(some))
    if first > 0:
        lines.append(
            f"UNIVERSE: nobody is a member before {str(bars.ts[first])[:16]}: no trade before"
        )
    constant = bool((members[first:] == members[first]).all())
    if constant and _years(bars) >= YEARS:
        lines.append(
            f"UNIVERSE: the same {int(members[first].sum())} members at every decision in "
            f"{_years(bars):.1f} years: are they those of today?"
        )
    return lines


def _years(bars: BarPanel) -> float:
    return float((bars.ts[-1] - bars.ts[0]) / np.timedelta64(1, "D")) / 365.25


def _names(names: list[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown
