"""Small static drawings on matplotlib's object interface: no pyplot, no global state, fixed margins.

Every function takes a `Canvas` and plain arrays or pandas objects. matplotlib is imported on use.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID = "#16202c", "#66717f", "#e3e7eb"
ACCENT, WARM = "#1d5fc4", "#bf6748"
LINES = ("#3f6fb5", "#2f948a", "#c39a3b", "#bf6748", "#7b62a6", "#66805f", "#8fb0dc", "#9aa3ae")
WIDTH_INCHES, HEIGHT_INCHES, DPI = 6.6, 2.7, 90
MAX_NAMES = 40
MAX_LEGEND = 10


@dataclass(frozen=True)
class Canvas:
    """A figure with one pair of axes."""

    figure: "Figure"
    axes: "Axes"

    @classmethod
    def blank(cls, title: str) -> "Canvas":
        """Axes with a title at the left, a light grid and no frame."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), dpi=DPI, facecolor="white")
        axes = figure.add_axes((0.09, 0.16, 0.89, 0.70))
        axes.set_title(title, loc="left", fontsize=8.5, color=INK, parse_math=False)
        axes.tick_params(labelsize=7, colors=MUTED, length=0)
        axes.grid(visible=True, axis="y", color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        for side in ("top", "right", "left", "bottom"):
            axes.spines[side].set_visible(False)
        return cls(figure, axes)

    def png(self) -> bytes:
        """The picture; equal drawings give equal bytes."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", metadata={"Software": None})
        return buffer.getvalue()


def lines(canvas: Canvas, wide: pd.DataFrame, bold: str = "champion") -> None:
    """One line per column over the time index; `bold` is emphasised, the legend names the first."""
    axes = canvas.axes
    _time_axis(canvas)
    x = pd.DatetimeIndex(wide.index).tz_localize(None).to_numpy()
    for position, name in enumerate(wide.columns):
        is_bold = name == bold
        axes.plot(
            x,
            wide[name].to_numpy(dtype="float64"),
            color=ACCENT if is_bold else LINES[position % len(LINES)],
            linewidth=2.0 if is_bold else 0.9,
            alpha=1.0 if is_bold or len(wide.columns) < 4 else 0.75,
            zorder=3 if is_bold else 2,
            label=literal(name),
        )
    if 1 < len(wide.columns) <= MAX_LEGEND:
        axes.legend(fontsize=6, frameon=False, ncols=5, loc="upper left", labelcolor=MUTED)


def bars(canvas: Canvas, names: Sequence[str], values: "np.ndarray", shades: Sequence[str] = ()) -> None:
    """One bar per name; negative ones in the warm colour unless `shades` says otherwise."""
    colours = list(shades) or [WARM if value < 0 else ACCENT for value in values.tolist()]
    canvas.axes.bar(range(len(names)), np.nan_to_num(values), color=colours, width=0.72)
    canvas.axes.axhline(0.0, color=MUTED, linewidth=0.6)
    _name_axis(canvas, names)


def heat_map(canvas: Canvas, wide: pd.DataFrame, *, limit: float, diverging: bool = True) -> None:
    """Rows x columns as coloured cells, from -limit (or 0) to limit; blank where NaN."""
    from matplotlib.colors import LinearSegmentedColormap

    stops = [WARM, "#ffffff", ACCENT] if diverging else ["#f3f6fb", ACCENT]
    colours = LinearSegmentedColormap.from_list("house", stops)
    axes = canvas.axes
    axes.grid(visible=False)
    low = -limit if diverging else 0.0
    axes.imshow(
        np.ma.masked_invalid(wide.to_numpy(dtype="float64")),
        aspect="auto", interpolation="nearest", cmap=colours, vmin=low, vmax=limit or 1.0,
    )  # fmt: skip
    step = max(1, -(-len(wide.index) // 20))
    axes.set_yticks(range(0, len(wide.index), step))
    axes.set_yticklabels([literal(name) for name in wide.index[::step]], fontsize=6)
    _name_axis(canvas, [str(name) for name in wide.columns])
    longest = max((len(str(name)) for name in wide.index), default=0)
    left = min(0.3, 0.03 + 0.0085 * longest)
    axes.set_position((left, 0.2, 0.98 - left, 0.66))


def shade(canvas: Canvas, ts: pd.DatetimeIndex, states: Sequence[str], colours: dict[str, str]) -> None:
    """Tint the background over each run of one state that has a colour."""
    x = ts.tz_localize(None).to_numpy()
    codes = np.asarray(states, dtype=object)
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    ends = np.r_[starts[1:], len(codes) - 1]
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        colour = colours.get(str(codes[start]))
        if colour is not None:
            canvas.axes.axvspan(x[start], x[end], color=colour, alpha=0.16, linewidth=0)


def literal(name: object) -> str:
    """A name that matplotlib draws as it is: no mathematics, no hidden legend entries."""
    return str(name).replace("$", r"\$").lstrip("_") or " "


def _time_axis(canvas: Canvas) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=8)
    canvas.axes.xaxis.set_major_locator(locator)
    canvas.axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _name_axis(canvas: Canvas, names: Sequence[str]) -> None:
    step = max(1, -(-len(names) // MAX_NAMES))
    crowded = sum(len(name) for name in names) > 110 or len(names) > 16
    canvas.axes.set_xticks(range(0, len(names), step))
    canvas.axes.set_xticklabels(
        [literal(name) for name in names[::step]],
        fontsize=6, rotation=90 if crowded else 0, ha="center",
    )  # fmt: skip
    if crowded:
        canvas.axes.set_position((0.09, 0.3, 0.89, 0.56))
