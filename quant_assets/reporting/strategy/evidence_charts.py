"""Figures of what was found out about a run: walked windows, costs and capital it bears."""

from typing import Any

import numpy as np
import pandas as pd

from quant_assets.reporting.charts import Figure, axis_of, label, layout_of, line_of, moments
from quant_assets.reporting.charts import rounded as numbers
from quant_assets.reporting.formats import percent
from quant_assets.reporting.strategy.charts import WITH_BUTTONS, thinned

MOST_MARKS = 60  # windows that get a line of their own
SIGNED = [[0, "@warm"], [0.5, "@panel"], [1, "@accent"]]


def walked_figure(walked: pd.DataFrame, equity: pd.Series, currency: str) -> Figure:
    """Equity over all test windows, and that of the parameters as given over the same bars.

    walked : columns `equity`, `window`, index ts. The second begins with as much as the first.
    """
    ts = pd.DatetimeIndex(walked.index)
    at = thinned(len(ts))
    x = moments(ts[at])
    given = equity.reindex(ts).to_numpy(dtype=np.float64)
    own = walked["equity"].to_numpy(dtype=np.float64)
    data = []
    if np.isfinite(given[0]) and given[0] > 0.0:
        rebased = given / given[0] * own[0]
        name = "parameters as given"
        data.append(line_of(x, rebased[at], name, colour="@benchmark", width=1.2))
    data.append(line_of(x, own[at], "walked forward", colour="@accent", width=2.0))
    begins = ts[np.flatnonzero(np.diff(walked["window"].to_numpy(), prepend=-1))]
    shapes = [
        {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": moment,
            "x1": moment,
            "y0": 0,
            "y1": 1,
            "line": {"color": "@rule", "width": 1, "dash": "dot"},
        }
        for moment in (moments(begins) if len(begins) <= MOST_MARKS else [])
    ]
    axis = axis_of(currency, tickformat="~s")
    return {"data": data, "layout": layout_of(360, yaxis=axis, shapes=shapes, margin=WITH_BUTTONS)}


def survival_figure(surface: pd.DataFrame) -> Figure:
    """Total return by factors on fees and on slippage, one map for each delay of orders."""
    smallest = surface[surface["size"] == surface["size"].min()]
    delays = sorted(smallest["delay"].unique())
    limit = float(smallest["total_return"].abs().max()) * 100.0 or 1.0
    gap = 0.06
    width = (1.0 - gap * (len(delays) - 1)) / len(delays)
    data: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    for number, delay in enumerate(delays):
        part = smallest[smallest["delay"] == delay]
        table = part.pivot_table(index="fee", columns="slippage", values="total_return")
        z = 100.0 * table.to_numpy()
        suffix = "" if number == 0 else str(number + 1)
        left = number * (width + gap)
        late = "no delay" if delay == 0 else f"{delay} bar{'s' if delay > 1 else ''} later"
        data.append(
            {
                "type": "heatmap",
                "x": [f"{one:g} x" for one in table.columns],
                "y": [f"{one:g} x" for one in table.index],
                "z": [numbers(row) for row in z],
                "text": [[percent(value / 100.0, 0) for value in row] for row in z.tolist()],
                "texttemplate": "%{text}",
                "textfont": {"size": 11},
                "zmin": -limit,
                "zmax": limit,
                "xgap": 1,
                "ygap": 1,
                "colorscale": SIGNED,
                "showscale": False,
                "xaxis": f"x{suffix}",
                "yaxis": f"y{suffix}",
                "hovertemplate": f"fees %{{y}}, slippage %{{x}}, {late}: %{{z:.1f}}%"
                "<extra></extra>",
            }
        )
        axes[f"xaxis{suffix}"] = axis_of(
            f"Slippage, {late}",
            type="category",
            showgrid=False,
            ticks="",
            domain=[left, min(left + width, 1.0)],
            anchor=f"y{suffix}",
        )
        axes[f"yaxis{suffix}"] = axis_of(
            "Fees" if number == 0 else "",
            type="category",
            showgrid=False,
            ticks="",
            anchor=f"x{suffix}",
            showticklabels=number == 0,
        )
    height = 160 + 34 * int(smallest["fee"].nunique())
    return {
        "data": data,
        "layout": layout_of(height, hovermode="closest", margin=WITH_BUTTONS, **axes),
    }


def capacity_figure(frame: pd.DataFrame, currency: str) -> Figure:
    """The Sharpe ratio against the capital."""
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": numbers(frame["capital"]),
        "y": numbers(frame["sharpe"]),
        "line": {"color": "@accent", "width": 1.6},
        "marker": {"size": 5},
        "hovertemplate": "%{x:.3s}: %{y:.2f}<extra></extra>",
        "name": "Sharpe ratio",
    }
    axes = {
        "xaxis": axis_of(label(f"Capital {currency}".strip()), type="log", tickformat="~s"),
        "yaxis": axis_of("Sharpe ratio", zeroline=True),
    }
    layout = layout_of(300, hovermode="closest", showlegend=False, margin=WITH_BUTTONS, **axes)
    return {"data": [line], "layout": layout}
