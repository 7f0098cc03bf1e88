"""Figures of a run: equity, exposure, excursions, costs, parameters, windows, resampled runs."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.reporting.charts import (
    Figure,
    axis_of,
    label,
    layout_of,
    line_of,
    moments,
    rounded,
)
from quant_assets.reporting.formats import percent
from quant_assets.reporting.tables import records

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
MOST_POINTS = 4000
MOST_TRADES = 2000
MOST_VALUES = 40
LONG_DAYS = 3 * 365
WITH_BUTTONS = {"l": 56, "r": 14, "t": 34, "b": 34}  # room for plotly's buttons above the plot


def thinned(n: int) -> Positions:
    """Positions of at most 4,000 of n points, both ends included."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).round().astype(np.intp))


def _deepest(values: Floats, positions: Positions) -> Floats:
    """The lowest value since the point before, so that thinning hides no drawdown."""
    starts = np.concatenate([[0], positions[:-1] + 1])
    return np.asarray(np.fmin.reduceat(values, starts), dtype=np.float64)


def equity_figure(
    equity: pd.DataFrame, benchmark: Floats | None, currency: str, name: str = ""
) -> Figure:
    """Equity above, loss from the highest equity below. name : of the benchmark."""
    ts = pd.DatetimeIndex(equity.index)
    at = thinned(len(ts))
    x = moments(ts[at])
    curve = equity["equity"].to_numpy(dtype=np.float64)
    data = []
    if benchmark is not None:
        start = curve[0] / (1.0 + float(equity["returns"].iloc[0]))
        grown = start * np.cumprod(1.0 + np.nan_to_num(benchmark[: len(ts)], nan=0.0))
        data.append(line_of(x, grown[at], name or "benchmark", colour="@benchmark", width=1.4))
    data.append(line_of(x, curve[at], "equity", colour="@accent", width=2.0))
    loss = _deepest(-100.0 * equity["drawdown"].to_numpy(dtype=np.float64), at)
    below = {"yaxis": "y2", "showlegend": False, "fill": "tozeroy", "fillcolor": "@accent_soft"}
    data.append(line_of(x, loss, "from peak", colour="@accent", width=1.0, **below))
    scale = "log" if (ts[-1] - ts[0]).days > LONG_DAYS and (curve > 0).all() else "linear"
    layout = layout_of(
        520,
        xaxis=axis_of(showgrid=False, type="date", anchor="y2"),
        yaxis=axis_of(currency, domain=[0.32, 1], type=scale, tickformat="~s"),
        yaxis2=axis_of("From peak", domain=[0, 0.26], ticksuffix="%", nticks=5),
    )
    return {"data": data, "layout": layout}


def exposure_figure(equity: pd.DataFrame) -> Figure:
    """Long and short positions over equity, and what would be lost if every stop were met."""
    at = thinned(len(equity))
    x = moments(pd.DatetimeIndex(equity.index)[at])
    part = equity.iloc[at]
    long, short = (part["gross"] + part["net"]) / 2.0, (part["gross"] - part["net"]) / 2.0
    shown = [("long", long, "@accent"), ("short", -short, "@warm")]
    data = [
        line_of(x, 100.0 * values / part["equity"], name, colour=colour, width=0.8)
        | {"fill": "tozeroy", "hovertemplate": "%{y:.1f}%"}
        for name, values, colour in shown
        if values.abs().max() > 0
    ]
    if len(data) > 1:  # else the one side is the net
        net = 100.0 * part["net"] / part["equity"]
        data.append(line_of(x, net, "net", colour="@ink", width=1.2, hovertemplate="%{y:.1f}%"))
    if not np.allclose(part["heat"] * part["equity"], part["gross"]):  # without stops it is
        heat = 100.0 * part["heat"]
        data.append(line_of(x, heat, "heat", colour="@minus", width=1.0, hovertemplate="%{y:.1f}%"))
    layout = layout_of(300, yaxis=axis_of("Share of equity", ticksuffix="%", zeroline=True))
    return {"data": data, "layout": layout | {"showlegend": True, "margin": WITH_BUTTONS}}


def excursion_figure(trades: pd.DataFrame) -> Figure:
    """Result of each trade against its worst and against its best moment, in per cent of entry."""
    shown = trades.tail(MOST_TRADES)
    data: list[dict[str, Any]] = []
    for won, colour, name in ((True, "@up_line", "won"), (False, "@minus", "lost")):
        part = shown[(shown["pnl"] > 0) == won]
        texts = [
            f"{label(row['symbol'])} {row['entry_ts']:%Y-%m-%d}<br>{label(row['exit_reason'])}, "
            f"{percent(row['pnl_pct'], 2, sign=True)}"
            for row in records(part)
        ]
        for column, axis in (("mae", ""), ("mfe", "2")):
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": rounded(100.0 * part[column].abs()),
                    "y": rounded(100.0 * part["pnl_pct"]),
                    "xaxis": f"x{axis}",
                    "yaxis": "y",
                    "text": texts,
                    "name": name,
                    "legendgroup": name,
                    "showlegend": not axis,
                    "marker": {"color": colour, "size": 6, "opacity": 0.6},
                    "hovertemplate": "%{text}<extra></extra>",
                }
            )
    layout = layout_of(
        380,
        hovermode="closest",
        xaxis=axis_of("Worst moment (MAE)", domain=[0, 0.47], ticksuffix="%", rangemode="tozero"),
        xaxis2=axis_of("Best moment (MFE)", domain=[0.53, 1], ticksuffix="%", rangemode="tozero"),
        yaxis=axis_of("Result", ticksuffix="%", zeroline=True),
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 11}},
    )
    return {"data": data, "layout": layout}


def cost_figure(costs: pd.DataFrame, currency: str) -> Figure:
    """From what prices gave to what was left: a step for each cost."""
    parts = costs["amount"][costs["amount"].abs() > 0]
    names = [label(str(name).replace("_", " ")) for name in parts.index]
    data = [
        {
            "type": "waterfall",
            "x": [*names, "change of equity"],
            "y": rounded([*parts.tolist(), float(parts.sum())]),
            "measure": [*["relative"] * len(parts), "total"],
            "increasing": {"marker": {"color": "@accent"}},
            "decreasing": {"marker": {"color": "@warm"}},
            "totals": {"marker": {"color": "@benchmark"}},
            "connector": {"line": {"color": "@rule", "width": 1}},
            "hovertemplate": "%{x}: %{y:,.0f}<extra></extra>",
            "name": "",
        }
    ]
    layout = layout_of(
        320,
        showlegend=False,
        hovermode="closest",
        xaxis=axis_of(showgrid=False, type="category"),
        yaxis=axis_of(currency, zeroline=True, tickformat="~s"),
        margin=WITH_BUTTONS,
    )
    return {"data": data, "layout": layout}


def parameters_of(trials: pd.DataFrame) -> list[str]:
    """Columns of parameters that took more than one value, those with most values first."""
    names = [str(name) for name in trials.columns if str(name).startswith("param_")]
    counts = {name: trials[name].nunique() for name in names if name != "param_hash"}
    varied = [name for name, n_values in counts.items() if n_values > 1]
    return sorted(varied, key=lambda name: -counts[name])


def parameter_figure(trials: pd.DataFrame, objective: str) -> Figure | None:
    """The best objective by two parameters, or along one; None where nothing was varied.

    Further parameters are at the values that made it best.
    """
    names = parameters_of(trials)
    if not names:
        return None
    shown = trials[np.isfinite(trials["objective_value"])]
    if len(names) == 1:
        by_value = shown.groupby(names[0])["objective_value"].max()
        x = by_value.index.tolist()
        trace = {"type": "scatter", "mode": "lines+markers", "x": x, "y": rounded(by_value)}
        line = {"line": {"color": "@accent"}, "marker": {"size": 6}, "name": label(objective)}
        axes = {
            "xaxis": axis_of(label(_bare(names[0])), type="-"),
            "yaxis": axis_of(label(objective), zeroline=True),
        }
        return {"data": [trace | line], "layout": layout_of(320, hovermode="closest", **axes)}
    across, down = names[:2]
    table = shown.pivot_table(index=down, columns=across, values="objective_value", aggfunc="max")
    limit = float(np.nanmax(np.abs(table.to_numpy()))) or 1.0
    trace = {
        "type": "heatmap",
        "x": [str(value) for value in table.columns],
        "y": [str(value) for value in table.index],
        "z": [rounded(row) for row in table.to_numpy()],
        "zmin": -limit,
        "zmax": limit,
        "xgap": 1,
        "ygap": 1,
        "colorscale": [[0, "@warm"], [0.5, "@panel"], [1, "@accent"]],
        "colorbar": {"thickness": 10, "outlinewidth": 0, "tickfont": {"color": "@muted"}},
        "hovertemplate": f"{label(_bare(across))} %{{x}}, {label(_bare(down))} %{{y}}: "
        "%{z:.3f}<extra></extra>",
    }
    few = min(len(table), MOST_VALUES)
    layout = layout_of(
        170 + 20 * few,
        hovermode="closest",
        xaxis=axis_of(label(_bare(across)), type="category", showgrid=False, ticks=""),
        yaxis=axis_of(label(_bare(down)), type="category", showgrid=False, ticks=""),
        margin=WITH_BUTTONS,
    )
    return {"data": [trace], "layout": layout}


def _bare(name: str) -> str:
    return name.removeprefix("param_")


def walk_forward_figure(windows: pd.DataFrame, objective: str) -> Figure:
    """The objective inside and outside of each window's training data, side by side."""
    x = moments(pd.DatetimeIndex(windows["test_start"]))
    shown = [
        ("in sample", "in_sample", "@other"),
        ("out of sample", "out_of_sample", "@accent"),
    ]
    data = [
        {
            "type": "bar",
            "x": x,
            "y": rounded(windows[column]),
            "name": name,
            "marker": {"color": colour, "line": {"width": 0}},
            "hovertemplate": "%{y:.2f}",
        }
        for name, column, colour in shown
    ]
    axis = axis_of(label(objective), zeroline=True)
    return {"data": data, "layout": layout_of(320, bargap=0.25, yaxis=axis)}


def fan_figure(bands: pd.DataFrame, equity: pd.Series, currency: str) -> Figure:
    """Quantiles of resampled equity around the one that happened."""
    ts = pd.DatetimeIndex(bands.index)
    at = thinned(len(ts))
    x = moments(ts[at])
    data: list[dict[str, Any]] = []
    for low, high, name, opacity in (
        ("q05", "q95", "5 to 95%", "@accent_soft"),
        ("q25", "q75", "25 to 75%", "@accent_soft"),
    ):
        edge = {"width": 0, "color": "@accent"}
        top = {"showlegend": False, "hoverinfo": "skip", "line": edge}
        data.append(line_of(x, bands[high].to_numpy()[at], name, colour="@accent") | top)
        filled = {"fill": "tonexty", "fillcolor": opacity, "line": edge, "hoverinfo": "skip"}
        data.append(line_of(x, bands[low].to_numpy()[at], name, colour="@accent") | filled)
    median = bands["q50"].to_numpy()[at]
    data.append(line_of(x, median, "median", colour="@benchmark", width=1.2))
    happened = thinned(len(equity))
    x_own = moments(pd.DatetimeIndex(equity.index)[happened])
    own = equity.to_numpy(dtype=np.float64)[happened]
    data.append(line_of(x_own, own, "as it happened", colour="@accent", width=2.0))
    layout = layout_of(380, yaxis=axis_of(currency, tickformat="~s"))
    return {"data": data, "layout": layout}
