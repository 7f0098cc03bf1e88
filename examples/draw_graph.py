"""Draw the declared graph as a picture: a column per pillar, a colour per kind, an arrow per read.

Nothing is listed here: assets, groups, kinds and spans are read from `quant_assets.defs`, so the
picture shows whatever the graph has become.

    python examples/draw_graph.py docs/images/graph.png
"""

import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, PathPatch
from matplotlib.path import Path as Curve

from quant_assets.orchestration.cells import CellSpec
from quant_assets.orchestration.graph import ordered_specs

INK, PAPER, BAND, MUTED = "#1d2433", "#ffffff", "#f4f5f8", "#767f92"
KINDS = {  # fill and line
    "series": ("#e3edfb", "#2f6fc4"),
    "decision": ("#fff0d9", "#c8790a"),
    "outcome": ("#def3e7", "#23865a"),
    "venue": ("#efe6fa", "#7a4fb5"),
}
MEANING = {
    "series": "series: rows that happened in the window",
    "decision": "decision: made at the window's start",
    "outcome": "outcome: what then happened",
    "venue": "one cell per venue, over all windows",
}
PITCH, WIDTH, ROW, LINE = 2.75, 1.95, 1.16, 0.30


@dataclass
class Node:
    """One asset, or one multi-asset, with its place."""

    spec: CellSpec
    column: int
    layer: int
    y: float = 0.0
    right: list[str] = field(default_factory=list)

    @property
    def x(self) -> float:
        """Left edge."""
        return self.column * PITCH

    @property
    def height(self) -> float:
        """Room for one line per out."""
        return 0.32 + LINE * len(self.spec.outs)

    @property
    def colour(self) -> str:
        """Line colour of its kind."""
        return KINDS[self.spec.kind][1]


def place(specs: tuple[CellSpec, ...]) -> dict[str, Node]:
    """Nodes by main out: columns in order of first appearance, rows by depth within the group."""
    owner = {out: spec for spec in specs for out in spec.outs}
    groups = list(dict.fromkeys(spec.group for spec in pillars_first(specs)))
    nodes: dict[str, Node] = {}
    for spec in specs:
        inside = [
            nodes[owner[read].main].layer + 1
            for read in spec.reads
            if owner[read] is not spec and owner[read].group == spec.group
        ]
        nodes[spec.main] = Node(spec, groups.index(spec.group), max(inside, default=0))
    columns = defaultdict(list)
    for node in nodes.values():
        columns[node.column].append(node)
    tallest = max(sum(n.height for n in c) + (len(c) - 1) * (ROW - 0.62) for c in columns.values())
    for members in columns.values():
        members.sort(key=lambda node: (node.layer, list(nodes).index(node.spec.main)))
        free = tallest - sum(node.height for node in members)
        gap = free / (len(members) + 1)
        top = -gap
        for node in members:
            node.y = top - node.height
            top = node.y - gap
    return nodes


def pillars_first(specs: tuple[CellSpec, ...]) -> list[CellSpec]:
    """Specs by the mean position of their group in dependency order, so that arrows point right."""
    positions = defaultdict(list)
    for number, spec in enumerate(specs):
        positions[spec.group].append(number)
    rank = {group: sum(found) / len(found) for group, found in positions.items()}
    return sorted(specs, key=lambda spec: rank[spec.group])


def draw_column(axes: Axes, title: str, column: int, bottom: float) -> None:
    """A pale band with the pillar's name."""
    margin = 0.22
    axes.add_patch(
        FancyBboxPatch(
            (column * PITCH - margin, bottom - 0.15),
            WIDTH + 2 * margin,
            -bottom + 0.75,
            boxstyle="round,pad=0,rounding_size=0.18",
            facecolor=BAND,
            edgecolor="none",
            zorder=0,
        )
    )
    axes.text(
        column * PITCH + WIDTH / 2, 0.24, title, ha="center", va="center", size=12.5, weight="bold",
        color=INK,
    )  # fmt: skip


def draw_node(axes: Axes, node: Node) -> None:
    """A rounded box with a line per out; the carried out of a chain is marked."""
    fill, line = KINDS[node.spec.kind]
    axes.add_patch(
        FancyBboxPatch(
            (node.x, node.y),
            WIDTH,
            node.height,
            boxstyle="round,pad=0,rounding_size=0.10",
            facecolor=fill,
            edgecolor=line,
            linewidth=1.5,
            zorder=4,
        )
    )
    middle = node.y + node.height / 2
    for number, out in enumerate(node.spec.outs):
        offset = (len(node.spec.outs) - 1) / 2 - number
        text = f"{out} ↻" if out == node.spec.chain else out
        axes.text(
            node.x + WIDTH / 2, middle + offset * LINE, text, ha="center", va="center", size=10.5,
            color=INK, zorder=5,
        )  # fmt: skip


def draw_read(axes: Axes, source: Node, target: Node, *, earlier: bool, height: float) -> None:
    """An arrow from the asset that is read; dashed when only earlier windows are."""
    style = {
        "edgecolor": source.colour,
        "linewidth": 1.25,
        "linestyle": (0, (3.2, 2.2)) if earlier else "solid",
        "zorder": 2,
    }
    if source.column == target.column:
        start = (source.x + WIDTH, source.y + source.height / 2)
        end = (target.x + WIDTH, height)
        bow = source.x + WIDTH + 0.34
        curve = Curve([start, (bow, start[1]), (bow, end[1]), end], [1, 4, 4, 4])
    else:
        start = (source.x + WIDTH, source.y + source.height / 2)
        end = (target.x, height)
        lean = 0.5 * (end[0] - start[0])
        middle = [(start[0] + lean, start[1]), (end[0] - lean, end[1])]
        curve = Curve([start, *middle, end], [1, 4, 4, 4])
    axes.add_patch(PathPatch(curve, facecolor="none", alpha=0.62, **style))
    before = curve.vertices[-2]
    side = 0.02 if before[0] > end[0] else -0.02
    axes.add_patch(
        FancyArrowPatch(
            (end[0] + side, end[1]), end, arrowstyle="-|>", mutation_scale=9, linewidth=0,
            facecolor=source.colour, shrinkA=0, shrinkB=0, zorder=3,
        )
    )  # fmt: skip


def draw_reads(axes: Axes, nodes: dict[str, Node]) -> None:
    """All arrows; those that enter one box are spread over its side, in order of their origin."""
    owner = {out: node for node in nodes.values() for out in node.spec.outs}
    for target in nodes.values():
        reads = [name for name in target.spec.reads if owner[name] is not target]
        sides = defaultdict(list)
        for name in reads:
            sides[owner[name].column == target.column].append(owner[name])
        for sources in sides.values():
            unique = sorted({id(s): s for s in sources}.values(), key=lambda node: -node.y)
            for number, source in enumerate(unique):
                names = [name for name in reads if owner[name] is source]
                earlier = all(target.spec.reads[name].through < 0 for name in names)
                share = (number + 1) / (len(unique) + 1)
                height = target.y + target.height * (1 - share)
                draw_read(axes, source, target, earlier=earlier, height=height)


def draw_legend(axes: Axes, bottom: float) -> None:
    """Kinds, and the two kinds of arrow."""
    handles = [
        Line2D([], [], marker="s", markersize=11, linestyle="", markerfacecolor=fill,
               markeredgecolor=line, markeredgewidth=1.5, label=MEANING[kind])
        for kind, (fill, line) in KINDS.items()
    ]  # fmt: skip
    handles += [
        Line2D([], [], color=MUTED, label="reads the same window (or up to it)"),
        Line2D([], [], color=MUTED, linestyle=(0, (3.2, 2.2)), label="reads earlier windows only"),
        Line2D([], [], marker="$↻$", markersize=9, linestyle="", color=INK,
               label="carries its state to the next window"),
    ]  # fmt: skip
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.075), ncols=4, frameon=False,
        fontsize=10.5, labelcolor=INK, columnspacing=2.0, handletextpad=0.6,
    )  # fmt: skip
    axes.set_ylim(bottom - 1.25, 0.75)


def draw(specs: tuple[CellSpec, ...]) -> Figure:
    """The whole picture."""
    nodes = place(specs)
    bottom = min(node.y for node in nodes.values()) - 0.25
    titles = {node.column: node.spec.group for node in nodes.values()}
    figure = Figure(figsize=(1.02 * PITCH * len(titles) * 0.82, 8.6), facecolor=PAPER)
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
    for column, title in sorted(titles.items()):
        draw_column(axes, title, column, bottom)
    for node in nodes.values():
        draw_node(axes, node)
    draw_reads(axes, nodes)
    draw_legend(axes, bottom)
    axes.set_xlim(-0.35, PITCH * (len(titles) - 1) + WIDTH + 0.35)
    axes.set_axis_off()
    return figure


def main() -> None:
    """Write the picture to the path of the first argument."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "graph.png")
    mpl.rcParams["font.family"] = ["DejaVu Sans"]
    figure = draw(ordered_specs())
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None} if path.suffix == ".png" else None)
    print(f"{path}: {sum(len(spec.outs) for spec in ordered_specs())} assets")


if __name__ == "__main__":
    main()
