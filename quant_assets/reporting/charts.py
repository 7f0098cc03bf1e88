"""Interactive figures as plain plotly specifications (`data`, `layout`): no widget state, no dates.

A colour is either a literal or a token such as `@accent`, which the page resolves from its style
sheet, so that figures follow the light, dark and print themes. Plotted numbers are rounded to six
significant digits. Names are escaped here, because plotly reads markup in labels.
"""

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.quant.analytics.drawdown import underwater
from quant_assets.quant.market.panel import Floats, to_panel
from quant_assets.reporting.performance import Performance, growth

Figure = dict[str, Any]
SIGNIFICANT_DIGITS = 6
SHOWN_SYMBOLS = 14
SMOOTHING_WINDOWS = 12
SMALLEST_CASH = 5e-4
PALETTE = (
    "#3f6fb5", "#8fb0dc", "#2f948a", "#93cbc1", "#c39a3b", "#e4cd8d", "#bf6748", "#e3ab95",
    "#7b62a6", "#b9a8d3", "#66805f", "#aec3a5", "#8a6d5b", "#c9b3a5",
)  # fmt: skip
LINE_COLOURS = PALETTE[::2]
OTHER_COLOUR = "@other"
CASH_COLOUR = "@cash"


def rounded(values: npt.ArrayLike) -> list[float | None]:
    """Values with six significant digits as JSON numbers; NaN becomes null."""
    return [
        float(f"{value:.{SIGNIFICANT_DIGITS}g}") if np.isfinite(value) else None
        for value in np.asarray(values, dtype="float64").tolist()
    ]


def moments(ts: pd.DatetimeIndex) -> list[str]:
    """UTC times as text: days alone where every time is midnight."""
    whole_days = bool((ts == ts.normalize()).all())
    return list(ts.strftime("%Y-%m-%d" if whole_days else "%Y-%m-%d %H:%M"))


def label(name: str) -> str:
    """Return `name` as plotly shows it literally."""
    return html.escape(str(name), quote=False)


def faded(colour: str, alpha: float = 0.6) -> str:
    """`#rrggbb` with transparency."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def axis_of(title: str = "", **settings: Any) -> dict[str, Any]:
    """An axis in the house style; settings of plotly win."""
    base: dict[str, Any] = {
        "gridcolor": "@grid",
        "linecolor": "@rule",
        "zerolinecolor": "@rule",
        "tickfont": {"color": "@muted", "size": 11},
        "automargin": True,
    }
    if title:
        base["title"] = {"text": title, "font": {"color": "@muted", "size": 11}, "standoff": 8}
    return base | settings


def layout_of(height: int, **settings: Any) -> dict[str, Any]:
    """A layout in the house style over a time axis; settings of plotly win."""
    base = {
        "height": height,
        "margin": {"l": 56, "r": 14, "t": 12, "b": 34},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "@ink", "size": 12},
        "hoverlabel": {"bgcolor": "@panel", "bordercolor": "@rule", "font": {"color": "@ink"}},
        "hovermode": "x unified",
        "legend": {"orientation": "h", "x": 0, "y": -0.1, "yanchor": "top", "font": {"size": 11}},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "@muted", "activecolor": "@accent"},
        "xaxis": axis_of(showgrid=False, type="date"),
    }
    return base | settings


def line_of(
    x: list[str], y: npt.ArrayLike, name: str, *, colour: str, width: float = 1.4, **extra: Any
) -> dict[str, Any]:
    """A line trace; `extra` are further settings of plotly."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": rounded(y),
        "name": label(name),
        "line": {"color": colour, "width": width},
    } | extra


def growth_figure(performance: Performance, *, initial_equity: float, currency: str) -> Figure:
    """Growth of the initial equity above, loss from the last peak below; one shared time axis.

    The focus entrant and the benchmark have daily points, all others weekly ones.
    """
    days, weeks = performance.daily(), performance.weekly()
    x, x_weekly = moments(performance.ts[days]), moments(performance.ts[weeks])
    money = f"%{{y:,.0f}} {currency}"
    data = []
    others = [name for name in performance.entrants if name != performance.focus]
    for number, name in enumerate(others):
        column = performance.net[:, performance.entrants.index(name)]
        curve = np.where(np.isfinite(column), growth(column), np.nan)[weeks] * initial_equity
        colour = faded(LINE_COLOURS[number % len(LINE_COLOURS)])
        data.append(line_of(x_weekly, curve, name, colour=colour, width=1, hovertemplate=money))
    lines = [("benchmark", performance.benchmark_returns, "@benchmark", 1.5, 2)]
    lines = lines if performance.has_benchmark else []
    lines.append((performance.focus, performance.focus_returns, "@accent", 2.2, 1))
    for name, returns, colour, width, place in lines:
        grown = growth(returns)
        data.append(
            line_of(x, grown[days] * initial_equity, name, colour=colour, width=width)
            | {"hovertemplate": money, "legendgroup": name, "legendrank": place}
        )
        loss = underwater(returns)[days] * 100.0
        data.append(_underwater_line(x, loss, name, colour))
    return {"data": data, "layout": _growth_layout(performance, currency)}


def _underwater_line(x: list[str], loss: Floats, name: str, colour: str) -> dict[str, Any]:
    """Loss from the last peak, per cent, on the lower axis; filled for the focus entrant."""
    fill = {"fill": "tozeroy", "fillcolor": "@accent_soft"} if colour == "@accent" else {}
    shape = {"yaxis": "y2", "showlegend": False, "legendgroup": name, "hovertemplate": "%{y:.1f}%"}
    return line_of(x, loss, name, colour=colour, width=1, **shape, **fill)


def _growth_layout(performance: Performance, currency: str) -> dict[str, Any]:
    scale = "log" if performance.is_long else "linear"
    return layout_of(
        560,
        xaxis=axis_of(showgrid=False, type="date", anchor="y2", showspikes=False),
        yaxis=axis_of(domain=[0.32, 1], type=scale, title=currency, tickformat="~s"),
        yaxis2=axis_of(domain=[0, 0.26], ticksuffix="%", title="From peak", nticks=5),
    )


def rolling_sharpe_figure(
    ts: pd.DatetimeIndex, lines: Sequence[tuple[str, Floats]], days: npt.NDArray[np.intp]
) -> Figure:
    """Draw rolling Sharpe ratios, sampled at `days`; the first is the focus entrant, on top."""
    x = moments(ts[days])
    styles = [("@accent", 1.7, 1), ("@benchmark", 1.1, 2)]
    data = [
        line_of(x, values[days], name, colour=colour, width=width, hovertemplate="%{y:.2f}")
        | {"legendrank": place}
        for (name, values), (colour, width, place) in zip(lines, styles, strict=False)
    ]
    data.reverse()
    layout = layout_of(300, yaxis=axis_of(title="Sharpe ratio", zeroline=True))
    return {"data": data, "layout": layout}


def costs_figure(windows: pd.DataFrame) -> Figure:
    """Two-way turnover above and costs below, one bar per window (WindowMetrics of one entrant).

    Costs are the gross minus the net return of the window, in basis points of equity.
    """
    x = moments(pd.DatetimeIndex(windows["ts"]))
    costs = (windows["gross_return"] - windows["net_return"]).to_numpy(dtype="float64") * 1e4
    opacity = [0.4 if partial else 1.0 for partial in windows["partial"].tolist()]
    bars = [
        ("Turnover", windows["turnover"].to_numpy(dtype="float64") * 100, "@accent", "y", "%"),
        ("Costs", costs, "@warm", "y2", " bps"),
    ]
    data = [
        {
            "type": "bar",
            "x": x,
            "y": rounded(values),
            "name": name,
            "yaxis": axis,
            "marker": {"color": colour, "opacity": opacity, "line": {"width": 0}},
            "hovertemplate": f"%{{y:.1f}}{unit}",
        }
        for name, values, colour, axis, unit in bars
    ]
    layout = layout_of(
        360,
        bargap=0.15,
        showlegend=False,
        xaxis=axis_of(showgrid=False, type="date", anchor="y2"),
        yaxis=axis_of(domain=[0.55, 1], ticksuffix="%", title="Turnover"),
        yaxis2=axis_of(domain=[0, 0.42], title="Costs, bps"),
    )
    return {"data": data, "layout": layout}


def weights_figure(weights: pd.DataFrame, until: pd.Timestamp | None = None) -> Figure:
    """Stacked weights of one entrant (PortfolioWeights rows), each held until the next decision.

    The newest ones are drawn up to `until`, the last bar.
    The symbols with the largest mean absolute weight have their own area; short weights stack
    downwards; what is not invested is cash.
    """
    panel = to_panel(weights.rename(columns={"decided_at": "ts"}), "weight")
    wide, ts = np.nan_to_num(panel.values, nan=0.0), panel.ts
    if until is not None and until > ts[-1]:
        wide = np.vstack([wide, wide[-1]])
        ts = pd.DatetimeIndex([*ts, until])
    order = np.argsort(-np.abs(wide).mean(axis=0), kind="stable").tolist()
    shown, rest = order[:SHOWN_SYMBOLS], order[SHOWN_SYMBOLS:]
    layers = [
        (panel.symbols[column], wide[:, column], PALETTE[place % len(PALETTE)])
        for place, column in enumerate(shown)
    ]
    if rest:
        layers.append((f"{len(rest)} others", wide[:, rest].sum(axis=1), OTHER_COLOUR))
    cash = 1.0 - wide.sum(axis=1)
    if (np.abs(cash) > SMALLEST_CASH).any():
        layers.append(("Cash", cash, CASH_COLOUR))
    x = moments(ts)
    data = [area for layer in layers for area in _areas(x, *layer)]
    heights = np.array([values for _, values, _ in layers]) * 100.0
    span = [
        float(np.minimum(heights, 0).sum(axis=0).min()),
        np.maximum(heights, 0).sum(axis=0).max(),
    ]
    layout = layout_of(440, yaxis=axis_of("Share of equity", ticksuffix="%", range=rounded(span)))
    layout["legend"]["traceorder"] = "normal"
    return {"data": data, "layout": layout}


def _areas(x: list[str], name: str, values: Floats, colour: str) -> list[dict[str, Any]]:
    """One area for the long side and, where there is one, another for the short side."""
    sides = [("long", np.maximum(values, 0.0)), ("short", np.minimum(values, 0.0))]
    filled = [(side, part) for side, part in sides if side == "long" or (part < 0).any()]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": x,
            "y": rounded(part * 100.0),
            "name": label(name),
            "stackgroup": side,
            "legendgroup": label(name),
            "showlegend": side == "long",
            "line": {"width": 0, "shape": "hv", "color": colour},
            "fillcolor": colour,
            "hovertemplate": "%{y:.1f}%",
        }
        for side, part in filled
    ]


def bands_figure(bands: pd.DataFrame, focus: str) -> Figure:
    """Draw a line from 5 to 95 % per entrant, a thick one from 25 to 75 %, and the median.

    bands : MonteCarlo rows of one figure. Entrants stand from the highest median downwards.
    """
    rows = bands.sort_values(["q50", "entrant"], na_position="first")
    names = [label(name) for name in rows["entrant"]]
    between: list[tuple[str, str, str, float]] = [
        ("5 to 95%", "q05", "q95", 1.6),
        ("25 to 75%", "q25", "q75", 6.0),
    ]
    data = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": rounded(
                np.column_stack([rows[low], rows[high], np.full(len(rows), np.nan)]).ravel()
            ),
            "y": [each for name in names for each in (name, name, None)],
            "name": name,
            "line": {"color": "@benchmark", "width": width},
            "hoverinfo": "skip",
        }
        for name, low, high, width in between
    ]
    data.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": rounded(rows["q50"]),
            "y": names,
            "name": "Median",
            "marker": {
                "size": 9,
                "color": ["@accent" if name == focus else "@ink" for name in rows["entrant"]],
            },
            "hovertemplate": "%{y}: %{x:.2f}<extra></extra>",
        }
    )
    layout = layout_of(
        90 + 22 * len(names),
        hovermode="closest",
        xaxis=axis_of("Sharpe ratio", zeroline=True),
        yaxis=axis_of(showgrid=False, type="category"),
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 11}},
    )
    return {"data": data, "layout": layout}


def signals_figure(signal_metrics: pd.DataFrame) -> Figure:
    """Rank IC of `alpha` per window as bars; per signal the mean of the last windows as lines."""
    panel = to_panel(signal_metrics.rename(columns={"signal": "symbol"}), "rank_ic")
    wide = pd.DataFrame(panel.values, index=panel.ts, columns=list(panel.symbols))
    x = moments(pd.DatetimeIndex(wide.index))
    data: list[dict[str, Any]] = []
    if "alpha" in wide.columns:
        data.append(
            {
                "type": "bar",
                "x": x,
                "y": rounded(wide["alpha"]),
                "name": "alpha, each window",
                "marker": {"color": "@accent_soft", "line": {"width": 0}},
                "hovertemplate": "%{y:.2f}",
            }
        )
    smooth = wide.rolling(SMOOTHING_WINDOWS, min_periods=max(1, SMOOTHING_WINDOWS // 2)).mean()
    for number, name in enumerate(wide.columns):
        is_blend = name == "alpha"
        colour = "@accent" if is_blend else LINE_COLOURS[(number + 1) % len(LINE_COLOURS)]
        width = 2.2 if is_blend else 1.2
        data.append(line_of(x, smooth[name], name, colour=colour, width=width))
        data[-1]["hovertemplate"] = "%{y:.3f}"
    layout = layout_of(320, bargap=0.1, yaxis=axis_of(title="Rank IC", zeroline=True))
    return {"data": data, "layout": layout}


def sparkline(returns: Floats, against: Floats, points: int = 60) -> str:
    """SVG polyline of log growth over that of `against`, in a box of 100 x 24.

    Rows where either is NaN count as no change; empty below two finite returns.
    """
    if np.isfinite(returns).sum() < 2:
        return ""
    steps = np.log1p(np.maximum(returns, -0.999)) - np.log1p(np.maximum(against, -0.999))
    path = np.r_[0.0, np.cumsum(np.nan_to_num(steps, nan=0.0))]
    path = path[np.unique(np.linspace(0, len(path) - 1, points).round().astype(np.intp))]
    span = float(path.max() - path.min()) or 1.0
    heights = 22.0 - (path - path.min()) / span * 20.0
    across = np.linspace(0.0, 100.0, len(path))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, heights, strict=True))
