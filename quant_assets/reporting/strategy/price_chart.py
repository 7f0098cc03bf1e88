"""The price of one symbol with its trades, stops and indicators, as one zoomable figure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.strategies.base import BarStrategy, Strategy
from quant_assets.quant.strategies.columns import compute_lines
from quant_assets.quant.strategies.composed import Pipeline
from quant_assets.quant.strategies.library_parts import RowStrategy
from quant_assets.reporting.charts import (
    LINE_COLOURS,
    Figure,
    axis_of,
    label,
    layout_of,
    line_of,
    moments,
    rounded,
)
from quant_assets.reporting.formats import money, percent, ratio
from quant_assets.reporting.strategy.stops import order_lines, stop_paths, target_paths
from quant_assets.reporting.tables import records

Floats = npt.NDArray[np.float64]
MOST_CANDLES = 3000
MOST_DRAWN = 1000  # trades of a symbol, the newest ones
MOST_SYMBOLS = 8
MOST_LINES = 6
NEAR_PRICE = 0.5
MOST_TRIED = 5000
PRICE_DOMAIN, LOWER_DOMAIN = [0.30, 1.0], [0.0, 0.22]
SHORT_NAME = re.compile(r"^(?P<call>\w+\(.*?\))\([^()]*\)\.(?P<output>\w+)$")


@dataclass(frozen=True)
class Lines:
    """Indicator lines `(time,)` of one symbol, by name: those at the price, and the others."""

    near: Mapping[str, Floats]
    apart: Mapping[str, Floats]


def shown_symbols(result: BacktestResult) -> list[str]:
    """Symbols whose trades earned or lost most, at most eight; without trades the first one."""
    sums = result.trades.groupby("symbol")["pnl"].apply(lambda pnl: pnl.abs().sum())
    order = sums.sort_values(ascending=False, kind="stable").index.tolist()
    return order[:MOST_SYMBOLS] or [_first_with_a_bar(result)]


def _first_with_a_bar(result: BacktestResult) -> str:
    """The first symbol that has a price from the first bar of the run on; else the first of all."""
    bars = result.preparation.bars
    known = np.isfinite(bars.close[result.first_bar :]).any(axis=0)
    return bars.symbols[int(np.argmax(known))]


def _known(result: BacktestResult, column: int) -> npt.NDArray[np.intp]:
    """Rows with a price, from the first bar of the run on: those before it only warmed up."""
    close = result.preparation.bars.close[result.first_bar :, column]
    return np.flatnonzero(np.isfinite(close)) + result.first_bar


def indicator_lines(strategy: Strategy, bars: BarPanel) -> dict[str, Floats]:
    """What the strategy looks at, `(time, symbol)` by name; empty where it does not say."""
    if isinstance(strategy, Pipeline | RowStrategy):
        return compute_lines(strategy.lines(), bars)
    if not isinstance(strategy, BarStrategy):
        return {}
    found = strategy.indicators(bars)
    return {name: values for name, values in found.items() if values.shape == bars.close.shape}


def price_like(strategy: Strategy, bars: BarPanel) -> frozenset[str]:
    """Names of the lines that double when all prices do: those are prices themselves."""
    tail = bars.rows(slice(max(0, len(bars) - MOST_TRIED), len(bars)))
    prices: dict[str, Any] = {n: 2.0 * tail[n] for n in ("open", "high", "low", "close")}
    doubled = replace(tail, **prices)
    once, twice = indicator_lines(strategy, tail), indicator_lines(strategy, doubled)
    return frozenset(
        name
        for name, line in once.items()
        if np.allclose(2.0 * line, twice[name], rtol=1e-6, atol=0.0, equal_nan=True)
    )


def lines_of(
    found: Mapping[str, Floats], prices: frozenset[str], column: int, close: Floats
) -> Lines:
    """Lines of one symbol; a price that is mostly within half of the close belongs to it."""
    near: dict[str, Floats] = {}
    apart: dict[str, Floats] = {}
    for name, values in found.items():
        line = values[:, column]
        known = np.isfinite(line) & np.isfinite(close)
        if not known.any():
            continue
        away = np.median(np.abs(line[known] / close[known] - 1.0))
        place = near if name in prices and away < NEAR_PRICE else apart
        place[short_name(name)] = line
    return Lines(dict(list(near.items())[:MOST_LINES]), dict(list(apart.items())[:MOST_LINES]))


def short_name(name: str) -> str:
    """`Sma(n=20)` of `Sma(n=20)(close).sma`; the output stays where it says more."""
    match = SHORT_NAME.match(name)
    if match is None:
        return name
    call, output = match["call"], match["output"]
    return call if call.lower().startswith(output) else f"{call} {output}"


def price_figure(
    result: BacktestResult,
    symbol: str,
    currency: str,
    indicators: Mapping[str, Floats],
    prices: frozenset[str] = frozenset(),
) -> Figure:
    """Candles (or closes), entries, exits, the way between them, stops, and indicator lines.

    Of very many trades the newest 1,000 are drawn.
    indicators : `(time, symbol)` by name; `prices` names those that are prices themselves.
    """
    bars = result.preparation.bars
    column = bars.symbols.index(symbol)
    close = bars.close[:, column]
    known = _known(result, column)
    groups = _groups(known)
    last = groups[1] - 1
    x = moments(pd.DatetimeIndex(bars.ts[known[last]], tz="UTC"))
    lines = lines_of(indicators, prices, column, close)
    data = [_price(bars, column, known, groups, x)]
    for number, (name, values) in enumerate(lines.near.items()):
        colour = LINE_COLOURS[(number + 1) % len(LINE_COLOURS)]
        data.append(line_of(x, values[known[last]], name, colour=colour, width=1.1))
    for number, (name, values) in enumerate(lines.apart.items()):
        colour = LINE_COLOURS[number % len(LINE_COLOURS)]
        below = {"yaxis": "y2"}
        data.append(line_of(x, values[known[last]], name, colour=colour, width=1.1, **below))
    data += _orders(result, symbol)
    trades = result.trades[result.trades["symbol"] == symbol].tail(MOST_DRAWN)
    data += _trades(result, trades, column, currency)
    return {"data": data, "layout": _layout(symbol, has_lower=bool(lines.apart))}


def bars_per_candle(result: BacktestResult, symbol: str) -> int:
    """How many bars one candle holds: 1 unless they are too many to draw."""
    bars = result.preparation.bars
    known = _known(result, bars.symbols.index(symbol))
    return -(-len(known) // MOST_CANDLES)


def _groups(known: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """First row and end of the rows of each candle, as positions in `known`."""
    size = -(-len(known) // MOST_CANDLES)
    first = np.arange(0, len(known), size)
    return first, np.minimum(first + size, len(known))


def _price(
    bars: BarPanel,
    column: int,
    known: npt.NDArray[np.intp],
    groups: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]],
    x: list[str],
) -> dict[str, Any]:
    first, end = groups
    given = {name: bars[name][known, column] for name in ("open", "high", "low", "close")}
    if (given["high"] == given["low"]).all():
        return line_of(x, given["close"][end - 1], "close", colour="@ink", width=1.2)
    return {
        "type": "candlestick",
        "x": x,
        "open": rounded(given["open"][first]),
        "high": rounded(np.fmax.reduceat(given["high"], first)),
        "low": rounded(np.fmin.reduceat(given["low"], first)),
        "close": rounded(given["close"][end - 1]),
        "name": "price",
        "increasing": {"line": {"color": "@benchmark", "width": 1}, "fillcolor": "@paper"},
        "decreasing": {"line": {"color": "@benchmark", "width": 1}, "fillcolor": "@benchmark"},
    }


def _trades(
    result: BacktestResult, trades: pd.DataFrame, column: int, currency: str
) -> list[dict[str, Any]]:
    """Markers of entries and exits, a line from one to the other, and the stops between them."""
    if trades.empty:
        return []
    bars = result.preparation.bars
    data = [
        _rule_lines(bars, list(stop_paths(result, trades, column)), "stop", "@warm"),
        _rule_lines(bars, list(target_paths(result, trades, column)), "target", "@up_line"),
    ]
    ended = trades[trades["exit_ts"].notna()]
    for won, colour, name in ((True, "@up_line", "won"), (False, "@minus", "lost")):
        part = ended[(ended["pnl"] > 0) == won]
        if len(part):
            data.append(_ways(part, name, colour))
    for direction, symbol in (("long", "triangle-up"), ("short", "triangle-down")):
        part = trades[trades["direction"] == direction]
        if len(part):
            texts = [
                f"{direction} {label(row['entry_signal'])}<br>{ratio(row['shares'], 4)} at "
                f"{ratio(row['entry_price'], 4)}"
                for row in records(part)
            ]
            mark = {"symbol": symbol, "size": 9, "color": "@accent", "line": {"width": 0}}
            place = (part["entry_ts"], part["entry_price"])
            data.append(_markers(*place, texts, f"{direction} entry", mark))
    if len(ended):
        texts = [
            f"{label(row['exit_reason'])}<br>{percent(row['pnl_pct'], 2, sign=True)}, "
            f"{money(row['pnl'], currency).strip()}, {row['bars_held']} bars"
            for row in records(ended)
        ]
        colours = ["@up_line" if pnl > 0 else "@minus" for pnl in ended["pnl"]]
        mark = {"symbol": "x", "size": 8, "color": colours, "line": {"width": 0}}
        data.append(_markers(ended["exit_ts"], ended["exit_price"], texts, "exit", mark))
    return [trace for trace in data if trace]


def _markers(
    ts: pd.Series, prices: pd.Series, texts: list[str], name: str, mark: dict[str, Any]
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": moments(pd.DatetimeIndex(ts)),
        "y": rounded(prices),
        "text": texts,
        "name": name,
        "marker": mark,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _ways(trades: pd.DataFrame, name: str, colour: str) -> dict[str, Any]:
    """One line per trade, from entry to exit."""
    ends = [moments(pd.DatetimeIndex(trades[which])) for which in ("entry_ts", "exit_ts")]
    prices = [rounded(trades[which]) for which in ("entry_price", "exit_price")]
    none: list[None] = [None] * len(trades)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [each for way in zip(*ends, none, strict=True) for each in way],
        "y": [each for way in zip(*prices, none, strict=True) for each in way],
        "name": name,
        "line": {"color": colour, "width": 1.4, "dash": "dot"},
        "hoverinfo": "skip",
    }


def _rule_lines(
    bars: BarPanel, paths: Sequence[tuple[Any, Floats]], name: str, colour: str
) -> dict[str, Any]:
    """Where a stop or target of the rules stood, bar by bar; empty without any."""
    pieces = [(rows[kept], levels[kept]) for rows, levels in paths for kept in [_turns(levels)]]
    if not pieces:
        return {}
    ts = pd.DatetimeIndex(bars.ts[np.concatenate([rows for rows, _ in pieces])], tz="UTC")
    texts, prices = moments(ts), rounded(np.concatenate([levels for _, levels in pieces]))
    x: list[str | None] = []
    y: list[float | None] = []
    begin = 0
    for rows, _ in pieces:
        end = begin + len(rows)
        x += [*texts[begin:end], None]
        y += [*prices[begin:end], None]
        begin = end
    return _line_pieces(x, y, name, colour)


def _turns(levels: Floats) -> npt.NDArray[np.bool_]:
    """Where a line of steps moves, and its ends: all that is needed to draw it."""
    moved = np.ones(len(levels), dtype=np.bool_)
    moved[1:-1] = levels[1:-1] != levels[:-2]
    return moved


ORDER_COLOURS = {
    "stop": "@warm",
    "target": "@up_line",
    "stop order": "@warm",
    "limit order": "@benchmark",
}


def _orders(result: BacktestResult, symbol: str) -> list[dict[str, Any]]:
    """Lines of the priced orders that the strategy placed, by what they are."""
    lines = order_lines(result, symbol)
    found = []
    for what, colour in ORDER_COLOURS.items():
        part = lines[lines["what"] == what]
        if part.empty:
            continue
        ends = [moments(pd.DatetimeIndex(part[which])) for which in ("first", "last")]
        prices = rounded(part["price"])
        none: list[None] = [None] * len(part)
        x = [each for line in zip(*ends, none, strict=True) for each in line]
        y = [each for line in zip(prices, prices, none, strict=True) for each in line]
        trace = _line_pieces(x, y, what, colour)
        short = {"symbol": "line-ew-open", "size": 6, "color": colour}  # one bar has no length
        found.append(trace | {"mode": "lines+markers", "marker": short})
    return found


def _line_pieces(
    x: list[str | None], y: list[float | None], name: str, colour: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "name": name,
        "line": {"color": colour, "width": 1.2, "shape": "hv"},
        "hoverinfo": "skip",
    }


def _layout(symbol: str, *, has_lower: bool) -> Figure:
    buttons = [
        {"count": count, "label": text, "step": step, "stepmode": "backward"}
        for count, text, step in ((1, "1 m", "month"), (6, "6 m", "month"), (1, "1 y", "year"))
    ]
    selector = {
        "buttons": [*buttons, {"step": "all", "label": "all"}],
        "bgcolor": "@wash",
        "activecolor": "@accent_soft",
        "font": {"size": 11, "color": "@muted"},
        "x": 0,
        "y": 1.02,
        "yanchor": "bottom",
    }
    anchor = "y2" if has_lower else "y"
    axes: dict[str, Any] = {
        "xaxis": axis_of(
            showgrid=False,
            type="date",
            anchor=anchor,
            rangeslider={"visible": False},
            rangeselector=selector,
        ),
        "yaxis": axis_of(
            label(symbol), type="linear", domain=PRICE_DOMAIN if has_lower else [0.0, 1.0]
        ),
    }
    if has_lower:
        axes["yaxis2"] = axis_of(domain=LOWER_DOMAIN, nticks=5)
    layout = layout_of(620 if has_lower else 500, hovermode="closest", **axes)
    return layout | {"margin": {"l": 56, "r": 14, "t": 34, "b": 34}}
