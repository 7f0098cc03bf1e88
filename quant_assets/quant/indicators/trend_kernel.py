"""Trailing stops and the choppiness logarithm; see `nodes_kernel` for how kernels are called."""

import numpy as np

from quant_assets.quant.indicators.compiled import Block, compiled, sample


@compiled
def parabolic(
    high: Block, low: Block, seen: int, state: Block, step: float, limit: float, out: Block
) -> None:
    """Wilder's stop and reverse.

    State: rows since the start or the last NaN, the direction (1 long, -1 short), the stop for the
    next row and the extreme point (both times the direction, so that one rule serves both), the
    acceleration, the last high and low.
    """
    n_rows, n_symbols = high.shape
    for t in range(n_rows):
        for j in range(n_symbols):
            top, bottom, last_top, last_bottom = high[t, j], low[t, j], state[5, j], state[6, j]
            state[5, j], state[6, j] = top, bottom
            absent = np.isnan(top) or np.isnan(bottom)
            state[0, j] = 0.0 if absent else state[0, j] + 1.0
            if state[0, j] < 2.0:
                out[t, j] = np.nan
                continue
            if state[0, j] == 2.0:
                fall = last_bottom - bottom
                state[1, j] = -1.0 if fall > 0.0 and fall > top - last_top else 1.0
                state[2, j] = last_bottom if state[1, j] > 0.0 else -last_top
                state[3, j] = top if state[1, j] > 0.0 else -bottom
                state[4, j] = step
                last_top, last_bottom = top, bottom
            way, stop, extreme, speed = state[1, j], state[2, j], state[3, j], state[4, j]
            reach, floor = (top, bottom) if way > 0.0 else (-bottom, -top)
            before = (last_top, last_bottom) if way > 0.0 else (-last_bottom, -last_top)
            if floor <= stop:
                stop = max(extreme, before[0], reach)
                out[t, j] = way * stop
                stop = max(stop + step * (floor - stop), before[0], reach)
                way, stop, extreme, speed = -way, -stop, -floor, step
            else:
                out[t, j] = way * stop
                if reach > extreme:
                    extreme, speed = reach, min(speed + step, limit)
                stop = min(stop + speed * (extreme - stop), before[1], floor)
            state[1, j], state[2, j], state[3, j], state[4, j] = way, stop, extreme, speed


@compiled
def ratchet(
    close: Block,
    upper: Block,
    lower: Block,
    seen: int,
    state: Block,
    line: Block,
    direction: Block,
) -> None:
    """Bands that only tighten until the close breaks them; the one in force and its direction.

    State: upper and lower band in force, the last close, the direction (NaN: none yet).
    """
    n_rows, n_symbols = close.shape
    uppers, lowers, last, ways = state[0], state[1], state[2], state[3]
    for t in range(n_rows):
        for j in range(n_symbols):
            value, top, bottom, way = close[t, j], upper[t, j], lower[t, j], ways[j]
            if np.isnan(value) or np.isnan(top) or np.isnan(bottom):
                way = np.nan
            elif np.isnan(way):
                way = -1.0
            else:
                top = top if top < uppers[j] or last[j] > uppers[j] else uppers[j]
                bottom = bottom if bottom > lowers[j] or last[j] < lowers[j] else lowers[j]
                if way < 0.0:
                    way = 1.0 if value > top else -1.0
                else:
                    way = -1.0 if value < bottom else 1.0
            uppers[j], lowers[j], last[j], ways[j] = top, bottom, value, way
            direction[t, j] = way
            line[t, j] = bottom if way > 0.0 else (top if way < 0.0 else np.nan)


@compiled
def scaled_log(x: Block, seen: int, state: Block, scale: float, out: Block) -> None:
    """`scale * ln(x)`; the state is not used."""
    n_rows, n_symbols = x.shape
    for t in range(n_rows):
        for j in range(n_symbols):
            out[t, j] = scale * np.log(x[t, j])


def warm_up() -> None:
    """Compile every kernel of this file."""
    x, out = sample(), sample()
    parabolic(x, x, 0, sample(7), 0.02, 0.2, out)
    ratchet(x, x, x, 0, sample(4), out, sample())
    scaled_log(x, 0, sample(1), 1.0, out)
