"""Small static drawings on matplotlib's object interface: no pyplot, no state, fixed margins.

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
MAX_NAMES = 30
MAX_ROW_NAMES = 12
BAR_WIDTH = 0.72
FEW_BARS = 6
MAX_RULED_CELLS = 1200
MAX_LEGEND = 6
SPAN_WIDTH = 5.0


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
        # y: the default place; told, so that nothing is measured for it, a fifth of the time
        axes.set_title(title, loc="left", y=1.0, fontsize=8.5, color=INK, parse_math=False)
        axes.tick_params(labelsize=7, colors=MUTED, length=0)
        axes.grid(visible=True, axis="y", color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        for side in ("top", "right", "left", "bottom"):
            axes.spines[side].set_visible(False)
        return cls(figure, axes)

    def png(self) -> bytes:
        """Return the picture; equal drawings give equal bytes."""
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
        axes.legend(
            fontsize=6, frameon=False, ncols=5, loc="upper left", labelcolor=MUTED,
            borderaxespad=0.1, handlelength=1.2, columnspacing=1.2,
        )  # fmt: skip


def bars(
    canvas: Canvas, names: Sequence[str], values: "np.ndarray", shades: Sequence[str] = ()
) -> None:
    """One bar per name; negative ones in the warm colour unless `shades` says otherwise."""
    colours = list(shades) or [WARM if value < 0 else ACCENT for value in values.tolist()]
    canvas.axes.bar(range(len(names)), np.nan_to_num(values), color=colours, width=BAR_WIDTH)
    canvas.axes.set_xlim(-0.7, max(len(names), FEW_BARS) - 0.3)
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
    _rule_cells(canvas, *wide.shape)
    axes.set_yticks([])
    rows = [str(name) for name in wide.index]
    _row_names(canvas, rows)
    _name_axis(canvas, [str(name) for name in wide.columns])
    left = _left_margin(rows)
    foot = axes.get_position().y0
    axes.set_position((left, foot, 0.98 - left, 0.86 - foot))


def _row_names(canvas: Canvas, names: Sequence[str]) -> None:
    """Names at the left of the rows 0, 1, …; every n-th where they are many."""
    for row in range(0, len(names), max(1, -(-len(names) // MAX_ROW_NAMES))):
        canvas.axes.text(
            -0.008, row, literal(names[row]), transform=canvas.axes.get_yaxis_transform(),
            fontsize=6, color=MUTED, ha="right", va="center",
        )  # fmt: skip


def _left_margin(names: Sequence[str]) -> float:
    return min(0.3, 0.03 + 0.0085 * max((len(name) for name in names), default=0))


def _rule_cells(canvas: Canvas, n_rows: int, n_columns: int) -> None:
    """White lines between the cells of a heat map that is not too fine for them."""
    if n_rows * n_columns <= MAX_RULED_CELLS:
        across, down = np.arange(n_columns + 1) - 0.5, np.arange(n_rows + 1) - 0.5
        canvas.axes.vlines(across, down[0], down[-1], color="white", linewidth=1.2)
        canvas.axes.hlines(down, across[0], across[-1], color="white", linewidth=1.2)
        canvas.axes.set_xlim(across[0], across[-1])
        canvas.axes.set_ylim(down[-1], down[0])


def spans(
    canvas: Canvas,
    names: Sequence[str],
    begins: pd.Series,
    ends: pd.Series,
    shades: Sequence[str],
) -> None:
    """One bar per span on the line of its name, from begin to end; short ones stay visible."""
    rows, order = pd.factorize(pd.Series(names), sort=True)
    axes = canvas.axes
    _time_axis(canvas)
    first, last = (edge.dt.tz_localize(None).to_numpy() for edge in (begins, ends))
    colours = list(shades)
    axes.hlines(rows, first, last, colors=colours, linewidth=SPAN_WIDTH)
    axes.scatter(first, rows, s=SPAN_WIDTH, marker="s", c=colours, linewidth=0)
    axes.set_yticks([])
    axes.set_ylim(len(order) - 0.5, -0.5)
    _row_names(canvas, [str(name) for name in order])
    left = _left_margin([str(name) for name in order])
    axes.set_position((left, 0.16, 0.98 - left, 0.70))


def shade(
    canvas: Canvas, ts: pd.DatetimeIndex, states: Sequence[str], colours: dict[str, str]
) -> None:
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
    """Return `name` as matplotlib draws it literally: no mathematics, no hidden legend entries."""
    return str(name).replace("$", r"\$").lstrip("_") or " "


def _time_axis(canvas: Canvas) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call] # matplotlib
    canvas.axes.xaxis.set_major_locator(locator)
    canvas.axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call] # matplotlib
    offset = canvas.axes.xaxis.get_offset_text()
    offset.set_fontsize(7)
    offset.set_color(MUTED)


def _name_axis(canvas: Canvas, names: Sequence[str]) -> None:
    step = max(1, -(-len(names) // MAX_NAMES))
    crowded = sum(len(name) for name in names) > 70 or len(names) > 16
    axes = canvas.axes
    axes.set_xticks([])
    for place in range(0, len(names), step):
        axes.text(
            place, -0.025, literal(names[place]), transform=axes.get_xaxis_transform(),
            fontsize=6, color=MUTED, ha="center", va="top", rotation=90 if crowded else 0,
        )  # fmt: skip
    longest = max((len(name) for name in names[::step]), default=0)
    if crowded:
        foot = min(0.42, 0.1 + 0.021 * longest)
        canvas.axes.set_position((0.09, foot, 0.89, 0.86 - foot))
