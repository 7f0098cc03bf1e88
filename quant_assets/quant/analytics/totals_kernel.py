"""The compiled passes over return series that every figure of the performance table is made of.

Blocks are `(strategy, time)`, C-ordered, writable; NaN rows are left out strategy by strategy.
Each kernel fills one row of `out` per strategy; what stands where is told by the named tuples in
`totals.py`, in the same order. Sums of squares and products are taken around the mean (a second
pass over rows that still lie in the cache), and growth is added up as logarithms, so that returns
of 1e-8 keep their digits.

Import this module lazily: it loads numba, whose disk cache notices changes of one file only.
"""

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Function = TypeVar("Function", bound=Callable[..., Any])
compiled = cast("Callable[[Function], Function]", njit(cache=True, error_model="numpy"))

SMALL_RETURN = 0.25  # up to here eleven terms of the series give log1p to the last digit
ROUNDING = 1e-12  # what compounds to less is rounding: a price that came back to its old level


@compiled
def squeeze(values: Floats, where: Floats, out: Floats) -> int:
    """Copy the `values` whose `where` is not NaN to the front of `out`; return how many."""
    count = 0
    for row in range(values.size):
        out[count] = values[row]
        count += int(not np.isnan(where[row]))
    return count


@compiled
def log_growth(x: Floats, extent: float, out: Floats) -> None:
    """Fill `out` with log(1 + x); `extent` is the largest |x|. -inf for a total loss.

    Within 0.25: 2 atanh(x / (2 + x)) by its series, which the compiler turns into vector code.
    """
    if extent <= SMALL_RETURN:
        for row in range(x.size):
            s = x[row] / (2.0 + x[row])
            q = s * s
            tail = 1.0 / 15.0 + q * (1.0 / 17.0 + q * (1.0 / 19.0 + q / 21.0))
            rest = 1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q * tail))
            head = 1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * rest))
            out[row] = 2.0 * (s + s * q * head)
    else:
        for row in range(x.size):
            out[row] = math.log1p(x[row]) if x[row] > -1.0 else -np.inf


@compiled
def levels(x: Floats, out: Floats) -> None:
    """Mean, lowest and highest value."""
    total, low, high = 0.0, np.inf, -np.inf
    for row in range(x.size):
        total += x[row]
        low = min(low, x[row])
        high = max(high, x[row])
    out[0], out[1], out[2] = total / max(x.size, 1), low, high


@compiled
def central(x: Floats, mean: float, out: Floats) -> None:
    """Sums of powers 2, 3, 4 and of sizes of x - mean, and of the products of neighbours."""
    squares = cubes = fourths = sizes = neighbours = last = 0.0
    for row in range(x.size):
        z = x[row] - mean
        q = z * z
        squares += q
        cubes += q * z
        fourths += q * q
        sizes += abs(z)
        neighbours += z * last
        last = z
    out[0], out[1], out[2], out[3], out[4] = squares, cubes, fourths, sizes, neighbours


@compiled
def gains_and_losses(x: Floats, out: Floats) -> None:
    """Sums of gains and losses and of their powers, counts and longest runs of both."""
    gains = losses = gains2 = losses2 = losses3 = 0.0
    wins = falls = winning = losing = most_wins = most_falls = 0
    for row in range(x.size):
        up, down = max(x[row], 0.0), max(-x[row], 0.0)
        gains += up
        losses += down
        gains2 += up * up
        losses2 += down * down
        losses3 += down * down * down
        won, lost = int(x[row] > 0.0), int(x[row] < 0.0)
        wins += won
        falls += lost
        winning = (winning + 1) * won
        losing = (losing + 1) * lost
        most_wins = max(most_wins, winning)
        most_falls = max(most_falls, losing)
    out[0], out[1], out[2], out[3], out[4] = gains, losses, gains2, losses2, losses3
    out[5], out[6], out[7], out[8] = wins, falls, most_wins, most_falls


@compiled
def path(x: Floats, out: Floats) -> None:
    """Losses from the peak: over all rows under water, and over the deepest rows of the episodes.

    The distance d from the peak follows d' = min(0, d + r (1 + d)), without any division.
    """
    d = sizes = squares = depth = deepest = depths = depths2 = 0.0
    under = run = longest = episodes = 0
    for row in range(x.size):
        d = min(d * (1.0 + x[row]) + x[row], 0.0)
        if d < -ROUNDING:
            sizes -= d
            squares += d * d
            depth = min(depth, d)
            under += 1
            run += 1
            longest = max(longest, run)
            deepest = min(deepest, d)
        elif run > 0:
            episodes += 1
            depths -= depth
            depths2 += depth * depth
            depth, run = 0.0, 0
    out[0], out[1], out[2], out[3], out[4] = deepest, sizes, squares, under, longest
    out[5], out[6], out[7] = episodes + int(run > 0), depths - depth, depths2 + depth * depth
    out[8], out[9] = d if run > 0 else 0.0, run


@compiled
def trend(logs: Floats, out: Floats) -> None:
    """Log growth; squares of the log equity around its mean, and its products with time."""
    equity, total = 0.0, 0.0
    for row in range(logs.size):
        equity += logs[row]
        total += equity
    mean, middle = total / max(logs.size, 1), (logs.size - 1) / 2.0
    level, squares, products = 0.0, 0.0, 0.0
    for row in range(logs.size):
        level += logs[row]
        squares += (level - mean) * (level - mean)
        products += (level - mean) * (row - middle)
    out[0], out[1], out[2] = equity, squares, products


@compiled
def inner_gaps(series: Floats) -> int:
    """NaN rows between the first and the last known row."""
    first, last, holes = 0, series.size - 1, 0
    while first < series.size and np.isnan(series[first]):
        first += 1
    while last > first and np.isnan(series[last]):
        last -= 1
    for row in range(first, last + 1):
        holes += int(np.isnan(series[row]))
    return holes


@compiled
def own_totals(block: Floats, free: Floats, out: Floats) -> None:
    """Fill `OwnTotals` of each strategy; `free` is the risk-free return of each row."""
    size = block.shape[1]
    kept, excess, logs, waste = np.empty(size), np.empty(size), np.empty(size), np.empty(5)
    for strategy in range(block.shape[0]):
        found, x, rate, n = out[strategy], block[strategy], free, size
        levels(x, found[2:5])
        holes = np.isnan(found[2])
        if holes:
            n = squeeze(x, x, kept)
            squeeze(free, x, excess)
            x, rate = kept[:n], excess[:n]
            levels(x, found[2:5])
        above = excess[:n]
        for row in range(n):
            above[row] = x[row] - rate[row]
        found[0] = n
        found[1] = inner_gaps(block[strategy]) if holes else 0
        levels(above, found[5:8])
        central(above, found[5], waste)
        found[8] = waste[0]
        central(x, found[2], found[9:14])
        gains_and_losses(x, found[14:23])
        path(x, found[23:33])
        log_growth(x, max(abs(found[3]), abs(found[4])), logs[:n])
        trend(logs[:n], found[33:36])


@compiled
def pair_totals(x: Floats, b: Floats, out: Floats) -> None:
    """Count, means and highest minus lowest of x, b and x - b; central sums of all three.

    Last the squares of what the line through both leaves of x, and their highest minus lowest.
    """
    total = total_b = 0.0
    low, high, low_b, high_b, low_a, high_a = np.inf, -np.inf, np.inf, -np.inf, np.inf, -np.inf
    for row in range(x.size):
        total += x[row]
        total_b += b[row]
        low, high = min(low, x[row]), max(high, x[row])
        low_b, high_b = min(low_b, b[row]), max(high_b, b[row])
        low_a, high_a = min(low_a, x[row] - b[row]), max(high_a, x[row] - b[row])
    mean, mean_b = total / max(x.size, 1), total_b / max(x.size, 1)
    squares = squares_b = products = squares_a = 0.0
    for row in range(x.size):
        z, z_b = x[row] - mean, b[row] - mean_b
        squares += z * z
        squares_b += z_b * z_b
        products += z * z_b
        squares_a += (z - z_b) * (z - z_b)
    out[0], out[1], out[2] = x.size, mean, mean_b
    out[3], out[4], out[5] = high - low, high_b - low_b, high_a - low_a
    out[6], out[7], out[8], out[9] = squares, squares_b, products, squares_a
    slope, left, low, high = products / squares_b, 0.0, np.inf, -np.inf
    for row in range(x.size):
        z = x[row] - mean - slope * (b[row] - mean_b)
        left += z * z
        low, high = min(low, z), max(high, z)
    out[10], out[11] = left, high - low


@compiled
def sided_totals(b: Floats, logs: Floats, logs_b: Floats, out: Floats) -> None:
    """Log growth of both in all rows, and in those with a rising and with a falling benchmark."""
    total = total_b = up = up_b = down = down_b = 0.0
    rises = falls = 0
    for row in range(b.size):
        total += logs[row]
        total_b += logs_b[row]
        if b[row] > 0.0:
            rises += 1
            up += logs[row]
            up_b += logs_b[row]
        elif b[row] < 0.0:
            falls += 1
            down += logs[row]
            down_b += logs_b[row]
    out[0], out[1], out[2], out[3], out[4] = total, total_b, rises, up, up_b
    out[5], out[6], out[7] = falls, down, down_b


@compiled
def relative_totals(block: Floats, market: Floats, free: Floats, out: Floats) -> None:
    """Fill `RelativeTotals` of each strategy over the rows where it and `market` are known."""
    size = block.shape[1]
    both, kept, kept_b, kept_rate = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    logs, kept_logs, market_logs, waste = (
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(3),
    )
    log_growth(market, np.inf, market_logs)
    for strategy in range(block.shape[0]):
        found, x, b, rate, logs_b = out[strategy], block[strategy], market, free, market_logs
        n = size
        for row in range(size):
            both[row] = x[row] + b[row]
        levels(both, waste)
        if np.isnan(waste[0]):
            n = squeeze(x, both, kept)
            squeeze(market, both, kept_b)
            squeeze(free, both, kept_rate)
            squeeze(market_logs, both, kept_logs)
            x, b, rate, logs_b = kept[:n], kept_b[:n], kept_rate[:n], kept_logs[:n]
        levels(x, waste)
        log_growth(x, max(abs(waste[1]), abs(waste[2])), logs[:n])
        sided_totals(b, logs[:n], logs_b, found[12:20])
        better = 0
        for row in range(n):
            better += int(x[row] > b[row])
            kept[row], kept_b[row] = x[row] - rate[row], b[row] - rate[row]
        found[20] = better
        pair_totals(kept[:n], kept_b[:n], found[:12])


@compiled
def percentile(ordered: Floats, level: float) -> float:
    """Percentile of sorted values, linearly interpolated; NaN without values."""
    if ordered.size == 0:
        return np.nan
    place = level * (ordered.size - 1)
    below = math.floor(place)
    above = min(below + 1, ordered.size - 1)
    return float(ordered[below] + (ordered[above] - ordered[below]) * (place - below))


@compiled
def mean_below(ordered: Floats, limit: float) -> float:
    """Mean of the sorted values that are not above `limit`; NaN without one."""
    total, count = 0.0, 0
    while count < ordered.size and ordered[count] <= limit:
        total += ordered[count]
        count += 1
    return total / count if count else np.nan


@compiled
def mean_above(ordered: Floats, limit: float) -> float:
    """Mean of the sorted values that are not below `limit`; NaN without one."""
    total, count = 0.0, 0
    while count < ordered.size and ordered[ordered.size - 1 - count] >= limit:
        total += ordered[ordered.size - 1 - count]
        count += 1
    return total / count if count else np.nan


@compiled
def tail_totals(ordered: Floats, out: Floats) -> None:
    """Fill `TailTotals` from rows that are sorted upwards, NaN last."""
    for strategy in range(ordered.shape[0]):
        n = ordered.shape[1]
        while n > 0 and np.isnan(ordered[strategy, n - 1]):
            n -= 1
        known, found = ordered[strategy, :n], out[strategy]
        for place, level in enumerate((0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)):
            found[place] = percentile(known, level)
        found[7] = mean_below(known, found[0])
        found[8] = mean_below(known, found[1])
        found[9] = mean_above(known, found[5])


@compiled
def calendar_totals(block: Floats, starts: Integers, out: Floats) -> None:
    """Fill `CalendarTotals`: compounded returns of the spans of rows between `starts`."""
    for strategy in range(block.shape[0]):
        count = gains = 0
        best, worst, total = -np.inf, np.inf, 0.0
        for span in range(starts.size - 1):
            growth, rows = 0.0, 0
            for row in range(starts[span], starts[span + 1]):
                r = block[strategy, row]
                if not np.isnan(r):
                    growth += r * (1.0 + growth)
                    rows += 1
            if rows:
                count += 1
                gains += int(growth > ROUNDING)
                total += growth
                best, worst = max(best, growth), min(worst, growth)
        found = out[strategy]
        found[0], found[1], found[2], found[3], found[4] = count, gains, total, best, worst


def warm_up() -> None:
    """Compile every kernel for the types that `totals.py` passes."""
    block, row = np.array([[0.1, -0.1, 0.2]]), np.zeros(3)
    own_totals(block, row, np.empty((1, 36)))
    relative_totals(block, row, row, np.empty((1, 21)))
    tail_totals(np.sort(block, axis=1), np.empty((1, 10)))
    calendar_totals(block, np.array([0, 2, 3], dtype=np.int64), np.empty((1, 5)))
