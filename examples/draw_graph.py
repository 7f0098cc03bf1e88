"""Draw the declared graph as a picture: a column per pillar, a colour per kind, an arrow per read.

Nothing is listed here: assets, groups, kinds and spans are read from `quant_assets.defs`, so the
picture shows whatever the graph has become.

    python examples/draw_graph.py docs/images/graph.png
"""

import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, PathPatch
from matplotlib.path import Path as Curve

import quant_assets.defs
from quant_assets.orchestration.cells import KIND_TAG, cell_spec
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
    "venue": "no window: one cell per venue, or above all",
}
PITCH, WIDTH, ROOM, LINE, LANE = 2.85, 1.95, 0.48, 0.30, 0.13
INCHES = 0.92  # per unit of height
MOST_BOXES = 10  # in one column
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """What is drawn of one asset, or multi-asset: `reads` maps assets to the newest window read."""

    outs: tuple[str, ...]
    group: str
    kind: str
    reads: dict[str, int]
    chain: str | None = None

    @property
    def main(self) -> str:
        """The first out: the box's name."""
        return self.outs[0]


def declared_boxes() -> list[Box]:
    """Every asset of the package in dependency order; those above all venues come last."""
    boxes = []
    for spec in ordered_specs():
        reads = {name: history.through for name, history in spec.reads.items()}
        boxes.append(Box(tuple(spec.outs), spec.group, spec.kind, reads, spec.chain))
    for asset in dg.load_assets_from_package_module(quant_assets.defs):
        if isinstance(asset, dg.AssetsDefinition) and cell_spec(asset) is None:
            for one in asset.specs:
                reads = {dep.asset_key.to_user_string(): 0 for dep in one.deps}
                name, kind = one.key.to_user_string(), one.tags.get(KIND_TAG, "venue")
                boxes.append(Box((name,), one.group_name or "", kind, reads))
    return boxes


@dataclass
class Node:
    """One box with its place."""

    spec: Box
    column: int
    layer: int
    y: float = 0.0

    @property
    def x(self) -> float:
        """Left edge."""
        return self.column * PITCH

    @property
    def height(self) -> float:
        """Room for one line per out."""
        return 0.32 + LINE * len(self.spec.outs)

    @property
    def middle(self) -> float:
        """Height of its centre."""
        return self.y + self.height / 2

    @property
    def colour(self) -> str:
        """Line colour of its kind."""
        return KINDS[self.spec.kind][1]


def place(specs: list[Box]) -> dict[str, Node]:
    """Nodes by main out: columns in order of first appearance, rows by depth within the group.

    A group of many boxes has two columns: what reads nothing of its own group, and the rest.
    """
    owner = {out: spec for spec in specs for out in spec.outs}
    groups = list(dict.fromkeys(spec.group for spec in pillars_first(specs)))
    crowded = {g for g in groups if sum(spec.group == g for spec in specs) > MOST_BOXES}
    nodes: dict[str, Node] = {}
    for spec in specs:
        inside = [
            nodes[owner[read].main].layer + 1
            for read in spec.reads
            if owner[read] is not spec and owner[read].group == spec.group
        ]
        layer, place_of = max(inside, default=0), groups.index(spec.group)
        before = sum(group in crowded for group in groups[:place_of])
        second = spec.group in crowded and layer > 0
        nodes[spec.main] = Node(spec, place_of + before + second, layer)
    columns = defaultdict(list)
    for node in nodes.values():
        columns[node.column].append(node)
    tallest = max(sum(n.height for n in c) + len(c) * ROOM for c in columns.values())
    for members in columns.values():
        members.sort(key=lambda node: (node.layer, list(nodes).index(node.spec.main)))
        free = tallest - sum(node.height for node in members)
        gap = free / len(members)
        top = -gap / 2
        for node in members:
            node.y = top - node.height
            top = node.y - gap
    return nodes


def pillars_first(specs: list[Box]) -> list[Box]:
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
    for number, out in enumerate(node.spec.outs):
        offset = (len(node.spec.outs) - 1) / 2 - number
        text = f"{out} ↻" if out == node.spec.chain else out
        place_of = (node.x + WIDTH / 2, node.middle + offset * LINE)
        axes.text(*place_of, text, ha="center", va="center", size=10.5, color=INK, zorder=5)


def gaps(nodes: dict[str, Node], column: int, bottom: float) -> list[tuple[float, float]]:
    """Free spans (low, high) of a column, from top to bottom."""
    boxes = sorted((n.y + n.height, n.y) for n in nodes.values() if n.column == column)[::-1]
    edges = [-0.02, *(y for box in boxes for y in box), bottom]
    return [(low, high) for high, low in zip(edges[::2], edges[1::2], strict=True)]


class Lanes:
    """Where the reads of one source pass through the columns between it and its readers.

    All reads of a source share one lane per column, so that they look like one line that branches.
    """

    def __init__(self, nodes: dict[str, Node], bottom: float) -> None:
        self._free = {
            column: gaps(nodes, column, bottom) for column in {n.column for n in nodes.values()}
        }
        self._taken: dict[tuple[int, int], list[str]] = defaultdict(list)
        self._wanted: dict[tuple[str, int], int] = {}

    def choose(self, source: Node, targets: list[Node]) -> None:
        """Take the gap nearest to the straight way, in every column that is passed."""
        far = [node for node in targets if node.column > source.column + 1]
        height = source.middle
        for column in range(source.column + 1, max((n.column for n in far), default=0)):
            ahead = [node for node in far if node.column > column]
            goal = sum(node.middle for node in ahead) / len(ahead)
            steps = sum(node.column for node in ahead) / len(ahead) - column + 1
            height += (goal - height) / steps
            spans = self._free[column]
            gap = min(range(len(spans)), key=lambda g: abs(sum(spans[g]) / 2 - height))
            self._taken[column, gap].append(source.spec.main)
            self._wanted[source.spec.main, column] = gap

    def height(self, source: Node, column: int) -> float:
        """The lane's height; the lanes of one gap lie side by side."""
        gap = self._wanted[source.spec.main, column]
        low, high = self._free[column][gap]
        names = self._taken[column, gap]
        spread = min(LANE, (high - low) / (len(names) + 1))
        offset = (len(names) - 1) / 2 - names.index(source.spec.main)
        return (low + high) / 2 + offset * spread


def bend(start: Point, end: Point) -> Curve:
    """A curve that leaves and arrives horizontally."""
    lean = 0.5 * (end[0] - start[0])
    return Curve([start, (start[0] + lean, start[1]), (end[0] - lean, end[1]), end], [1, 4, 4, 4])


def bow(source: Node, height: float) -> Curve:
    """A curve between two boxes of one column, on the side where fewer lines are."""
    left = source.column == 0
    side = source.x if left else source.x + WIDTH
    out = side - 0.30 if left else side + 0.34
    start, end = (side, source.middle), (side, height)
    return Curve([start, (out, start[1]), (out, end[1]), end], [1, 4, 4, 4])


def route(source: Node, target: Node, height: float, lanes: Lanes) -> list[Curve]:
    """Pieces of one arrow, from the side of the source to the side of the target."""
    if source.column == target.column:
        return [bow(source, height)]
    here, pieces = (source.x + WIDTH, source.middle), []
    for column in range(source.column + 1, target.column):
        lane = lanes.height(source, column)
        first, after = (column * PITCH, lane), (column * PITCH + WIDTH, lane)
        pieces += [bend(here, first), Curve([first, after])]
        here = after
    return [*pieces, bend(here, (target.x, height))]


def draw_reads(axes: Axes, nodes: dict[str, Node], bottom: float) -> None:
    """All arrows; those that enter one box are spread over its side, in order of their origin."""
    owner = {out: node for node in nodes.values() for out in node.spec.outs}
    reads = {
        name: {owner[read].spec.main: node.spec.reads[read] for read in node.spec.reads}
        for name, node in nodes.items()
    }
    lanes = Lanes(nodes, bottom)
    for name, source in nodes.items():
        lanes.choose(source, [nodes[other] for other in nodes if name in reads[other]])
    drawn: set[tuple[object, ...]] = set()
    for name, target in nodes.items():
        sources = [nodes[other] for other in reads[name] if other != name]
        for inside in (True, False):
            group = [n for n in sources if (n.column == target.column) is inside]
            group.sort(key=lambda node: -arrival(node, target, lanes))
            for number, source in enumerate(group):
                height = target.y + target.height * (1 - (number + 1) / (len(group) + 1))
                pieces = route(source, target, height, lanes)
                earlier = reads[name][source.spec.main] < 0
                for piece in pieces:
                    mark = (source.spec.main, earlier, *piece.vertices.ravel().round(6).tolist())
                    if mark not in drawn:
                        drawn.add(mark)
                        draw_line(axes, piece, source.colour, earlier=earlier)
                draw_head(axes, pieces[-1], source.colour)


def arrival(source: Node, target: Node, lanes: Lanes) -> float:
    """Height from which an arrow comes to its target."""
    if target.column - source.column < 2:
        return source.middle
    return lanes.height(source, target.column - 1)


def draw_line(axes: Axes, piece: Curve, colour: str, *, earlier: bool) -> None:
    """One piece of an arrow; dashed when only earlier windows are read."""
    style = (0, (3.2, 2.2)) if earlier else "solid"
    axes.add_patch(
        PathPatch(
            piece, facecolor="none", edgecolor=colour, linewidth=1.35, linestyle=style, alpha=0.75,
            zorder=2,
        )
    )  # fmt: skip


def draw_head(axes: Axes, piece: Curve, colour: str) -> None:
    """The tip of an arrow."""
    end = piece.vertices[-1]
    side = 0.02 if piece.vertices[-2][0] > end[0] else -0.02
    axes.add_patch(
        FancyArrowPatch(
            (end[0] + side, end[1]), tuple(end), arrowstyle="-|>", mutation_scale=11, linewidth=0,
            facecolor=colour, shrinkA=0, shrinkB=0, zorder=3,
        )
    )  # fmt: skip


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


def draw(specs: list[Box]) -> Figure:
    """The whole picture."""
    nodes = place(specs)
    bottom = min(node.y for node in nodes.values()) - 0.40
    titles = {node.column: node.spec.group for node in nodes.values()}
    size = (1.02 * PITCH * len(titles) * 0.82, INCHES * (2.0 - bottom))
    figure = Figure(figsize=size, facecolor=PAPER)
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
    for column, title in sorted(titles.items()):
        draw_column(axes, title, column, bottom)
    for node in nodes.values():
        draw_node(axes, node)
    draw_reads(axes, nodes, bottom)
    draw_legend(axes, bottom)
    axes.set_xlim(-0.35, PITCH * (len(titles) - 1) + WIDTH + 0.35)
    axes.set_axis_off()
    return figure


def main() -> None:
    """Write the picture to the path of the first argument."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "graph.png")
    mpl.rcParams["font.family"] = ["DejaVu Sans"]
    boxes = declared_boxes()
    names = sorted(out for box in boxes for out in box.outs)
    figure = draw(boxes)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None, "Description": " ".join(names)})
    print(f"{path}: {len(names)} assets")


if __name__ == "__main__":
    main()
