"""What a backtest should say of its bars: what they hide changes results without an error."""

import numpy as np
import numpy.typing as npt

from quant_assets.quant.market.bar_panel import BarPanel, Floats
from quant_assets.quant.market.universe_doubts import universe_doubts

__all__ = ["panel_doubts"]

ENDED = 5  # bars without a price at the end: longer than a weekend with holidays
SPLIT_RATIOS = np.array([2.0, 3.0, 4.0, 5.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 50.0, 100.0])
SPLIT_TOLERANCE = 0.02  # of the ratio of the close before to the open
OUTSIDE = 1e-6  # of the price: what rounding of adjusted prices leaves
CLOSED = 0.15  # of a symbol's rows without a bar: five days of seven lack 0.29
RESTS = 15  # bars to a gap, at most: a week has five
SHOWN = 3  # symbols by name

Mask = npt.NDArray[np.bool_]


def panel_doubts(bars: BarPanel, warm_up: int = 0, first: int = 0) -> tuple[str, ...]:
    """One line for each thing that a backtest on these bars cannot know; none: nothing is wrong.

    warm_up : bars without a gap that the strategy's indicators need. first : row with which the run
    begins; those before only warm up. Said are bars that are fewer, in all or before that row,
    symbols that never have as many in a row (of another calendar than the others) or rest again and
    again, symbols that end before the bars do, steps that look like splits, prices outside of the
    range of their bar, and what `universe_doubts` says of who could be traded in the run.
    """
    found = [_ended(bars), _splits(bars), _outside(bars)]
    close = bars.close
    if warm_up >= len(bars):
        found.insert(0, f"SHORT: {len(bars)} bars, and a warm-up of {warm_up}: nothing was decided")
    elif warm_up > 0 and np.isnan(close.sum()):
        found.insert(0, _broken(bars, warm_up) or _often_closed(bars))
    if 0 < first < warm_up < len(bars):
        found.insert(0, _late(bars, warm_up, first))
    traded = bars.rows(slice(first, None)) if first else bars
    return (*(line for line in found if line), *universe_doubts(traded))


def _late(bars: BarPanel, warm_up: int, first: int) -> str:
    """Bars before the first that is traded, but too few to decide on it."""
    start, decided = (str(bars.ts[row])[:16] for row in (first, warm_up))
    return (
        f"SHORT: {first} bars before {start}, and a warm-up of {warm_up}: nothing was decided "
        f"before {decided}"
    )


def _broken(bars: BarPanel, warm_up: int) -> str:
    """Symbols with enough bars, but never enough in a row."""
    known = ~np.isnan(bars.close)
    enough = known.sum(axis=0) > warm_up
    wrong = [s for s in np.flatnonzero(enough).tolist() if longest_run(known[:, s]) <= warm_up]
    if not wrong:
        return ""
    runs = max(longest_run(known[:, s]) for s in wrong)
    return (
        f"GAPS: {_names(bars, wrong)}: never more than {runs} bars in a row, and the warm-up is "
        f"{warm_up}: indicators begin anew after each gap and say hardly anything. Symbols of "
        "another calendar belong in a backtest of their own"
    )


def _often_closed(bars: BarPanel) -> str:
    """Symbols that rest again and again while others trade: of their rows, from first to last."""
    known = ~np.isnan(bars.close)
    shares = {s: share for s in range(len(bars.symbols)) if (share := _resting(known[:, s])) > 0.0}
    if not shares:
        return ""
    return (
        f"CLOSED: {_names(bars, list(shares))}: no bar in {max(shares.values()):.0%} of the rows, "
        "again and again: what looks at bars before begins anew after each gap. Symbols of another "
        "calendar belong in a backtest of their own"
    )


def _resting(known: Mask) -> float:
    """Share of the rows between the first and the last bar without one; 0 for few gaps."""
    rows = np.flatnonzero(known)
    steps = np.diff(rows)
    gaps = int((steps > 1).sum())
    if gaps * RESTS < len(rows):
        return 0.0
    share = 1.0 - len(rows) / (rows[-1] - rows[0] + 1) if gaps else 0.0
    return share if share > CLOSED else 0.0


def longest_run(flags: Mask) -> int:
    """Most flags in a row that are set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _ended(bars: BarPanel) -> str:
    """Symbols without a price at the end."""
    if len(bars) <= ENDED:
        return ""
    tail = bars.close[-ENDED:]
    gone = np.flatnonzero(np.isnan(tail).all(axis=0))
    known = [s for s in gone.tolist() if not np.isnan(bars.close[:, s]).all()]
    if not known:
        return ""
    last = [bars.ts[np.flatnonzero(~np.isnan(bars.close[:, s]))[-1]] for s in known]
    first, final = (str(day)[:10] for day in (min(last), max(last)))
    when = first if first == final else f"{first} the first, {final} the last"
    return (
        f"ENDED: {_names(bars, known)}: no price after {when}: what is held then stays "
        "in the account at its last close"
    )


def _splits(bars: BarPanel) -> str:
    """Opens at a whole fraction, or a whole multiple, of the close before."""
    if len(bars) < 2:
        return ""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = bars.close[:-1] / bars.open[1:]
        steps = np.fmax(ratio, 1.0 / ratio)
    rows, columns = np.nonzero(steps > SPLIT_RATIOS[0] * (1.0 - SPLIT_TOLERANCE))
    if not rows.size:
        return ""
    away = np.abs(steps[rows, columns][:, None] / SPLIT_RATIOS - 1.0).min(axis=1)
    like = away <= SPLIT_TOLERANCE
    if not like.any():
        return ""
    row, s = int(rows[like][0]), int(columns[like][0])
    return (
        f"SPLIT? {bars.symbols[s]} opens {bars.open[row + 1, s]:g} at {str(bars.ts[row + 1])[:16]} "
        f"after a close of {bars.close[row, s]:g}{_more(int(like.sum()))}: prices that are not "
        "adjusted lose or gain what no holder did"
    )


def _outside(bars: BarPanel) -> str:
    """Opens and closes beyond the high or the low of their bar."""
    wrong: Mask | None = None
    for price in (bars.open, bars.close):
        if price is bars.high and price is bars.low:
            continue
        here = _beyond(price, bars)
        wrong = here if wrong is None else wrong | here
    if wrong is None or not wrong.any():
        return ""
    row, s = np.argwhere(wrong)[0]
    return (
        f"OUTSIDE: {bars.symbols[s]} opens or closes outside of its range at "
        f"{str(bars.ts[row])[:16]}{_more(int(wrong.sum()))}: orders fill at such prices"
    )


def _beyond(price: Floats, bars: BarPanel) -> Mask:
    return (price > bars.high * (1.0 + OUTSIDE)) | (price < bars.low * (1.0 - OUTSIDE))


def _names(bars: BarPanel, columns: list[int]) -> str:
    shown = ", ".join(bars.symbols[s] for s in columns[:SHOWN])
    more = len(columns) - SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _more(n: int) -> str:
    return f" ({n} such bars)" if n > 1 else ""
