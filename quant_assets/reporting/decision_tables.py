"""Tables of what was decided: solver reports, holdings, clusters."""

import math
from dataclasses import dataclass

import pandas as pd

from quant_assets.reporting.formats import MISSING, count, percent, ratio
from quant_assets.reporting.inputs import Provenance
from quant_assets.reporting.performance import CHAMPION
from quant_assets.reporting.tables import Cell, Column, Row, Table, number, records, word

_SOLVERS = (
    Column("Entrant", numeric=False),
    Column("Solver", numeric=False),
    Column("Solves", hint="Windows with target weights"),
    Column("Statuses", numeric=False, hint="The solver's own words, with counts"),
    Column("Fallbacks", numeric=False, hint="Fallback used instead of the solution, with counts"),
    Column("Worst residual", hint="Largest miss of a limit by a raw solution, before hardening"),
    Column("Iterations", hint="Median over all solves"),
    Column("Binding limits", numeric=False, hint="Limits that were active, with counts of windows"),
    Column("Led", hint="Windows in which the champion followed this entrant"),
)
SHOWN_HOLDINGS = 40
SMALLEST_SHOWN = 5e-5
OPTIMAL = "optimal"
SHOWN_WORDS = 4
LONGEST_WORD = 80


def newest(frame: pd.DataFrame, clock: str = "decided_at") -> pd.DataFrame:
    """Rows of the newest decision."""
    return frame.loc[frame[clock] == frame[clock].max()] if len(frame) else frame


def solvers_table(target_weights: pd.DataFrame, portfolio_weights: pd.DataFrame) -> Table:
    """Statuses, fallbacks and residuals per entrant, counted once per solve, not per symbol."""
    solves = target_weights.drop_duplicates(["decided_at", "entrant"])
    decisions = portfolio_weights.drop_duplicates(["decided_at", "entrant"])
    led = decisions.loc[decisions["entrant"] == CHAMPION, "follows"].value_counts()
    limits = decisions.assign(binding=decisions["binding"].str.split(";")).explode("binding")
    rows = []
    for name, group in solves.groupby("entrant", sort=True):
        entrant = str(name)
        statuses, fallbacks = group["status"], group["fallback"]
        is_good = (statuses == OPTIMAL).all()
        active = limits.loc[limits["entrant"] == entrant, "binding"]
        worst, steps = float(group["residual"].max()), float(group["iterations"].median())
        cells = (
            word(entrant, "name"),
            word(", ".join(sorted(set(group["solver"])))),
            number(len(group), count(len(group))),
            word(counted(statuses), "" if is_good else "warn"),
            word(counted(fallbacks), "warn" if (fallbacks != "").any() else ""),
            number(worst, f"{worst:.1e}"),
            number(steps, count(steps)),
            word(counted(active)),
            number(int(led.get(entrant, 0)), count(int(led.get(entrant, 0)))),
        )
        rows.append(Row(cells))
    return Table(_SOLVERS, tuple(rows), sortable=True)


def counted(words: pd.Series) -> str:
    """`optimal 12, infeasible 1`: words with their counts, most frequent first, without blanks.

    Long words are cut, and words beyond the first few are only counted.
    """
    tally = words.loc[words != ""].value_counts()
    ordered = sorted(tally.items(), key=lambda item: (-item[1], str(item[0])))
    shown = [f"{_shortened(str(name))} {count(n)}" for name, n in ordered[:SHOWN_WORDS]]
    rest = sum(int(n) for _, n in ordered[SHOWN_WORDS:])
    return ", ".join([*shown, f"others {count(rest)}"] if rest else shown) or MISSING


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_WORD else f"{text[:LONGEST_WORD]}…"


_HOLDINGS = (
    Column("Symbol", numeric=False),
    Column("Weight", hint="Hardened weight, fraction of equity"),
    Column("Before", hint="Weight of the window before, drifted by prices"),
    Column("Change"),
    Column("Target", hint="What the optimizer wished before hardening"),
    Column("Cluster"),
    Column("Alpha", hint="Blended score of the symbol in [-1, 1]"),
)


def traded(now: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows that hold something or give it up, largest position first."""
    sizes = now["weight"].abs()
    shown = (sizes > SMALLEST_SHOWN) | (now["previous_weight"].abs() > SMALLEST_SHOWN)
    ordered = now.assign(size=sizes).sort_values(["size", "symbol"], ascending=[False, True])
    return ordered.loc[shown]


def holdings_table(
    weights: pd.DataFrame, candidate_clusters: pd.DataFrame, alpha_streams: pd.DataFrame | None
) -> Table:
    """Show the newest decision of one entrant (PortfolioWeights rows)."""
    clusters = newest(candidate_clusters).set_index("symbol")["cluster"].to_dict()
    alphas = _alphas(alpha_streams)
    columns = _HOLDINGS if alphas else _HOLDINGS[:-1]
    rows = []
    for entry in records(traded(newest(weights)).head(SHOWN_HOLDINGS)):
        change = entry["weight"] - entry["previous_weight"]
        cluster, alpha = clusters.get(entry["symbol"]), alphas.get(entry["symbol"], float("nan"))
        cells = (
            word(str(entry["symbol"]), "name"),
            number(entry["weight"], percent(entry["weight"], 2)),
            number(entry["previous_weight"], percent(entry["previous_weight"], 2)),
            number(change, percent(change, 2, sign=True)),
            number(entry["target_weight"], percent(entry["target_weight"], 2)),
            Cell(MISSING if cluster is None else str(cluster), "" if cluster is None else cluster),
            number(alpha, ratio(alpha, 2, sign=True)),
        )
        rows.append(Row(cells[: len(columns)]))
    return Table(columns, tuple(rows), sortable=True, kind="compact")


def _alphas(alpha_streams: pd.DataFrame | None) -> dict[str, float]:
    """Alpha per symbol of the newest decision; the long side where a symbol has both."""
    if alpha_streams is None or alpha_streams.empty:
        return {}
    rows = (
        newest(alpha_streams).sort_values(["symbol", "side"]).drop_duplicates("symbol", keep="last")
    )
    return dict(zip(rows["symbol"].tolist(), rows["alpha"].tolist(), strict=True))


@dataclass(frozen=True)
class Member:
    """One symbol of a cluster; `level` 0-4 tints it by its mean correlation."""

    symbol: str
    weight: str
    correlation: str
    level: int


@dataclass(frozen=True)
class ClusterCard:
    """One cluster: its members and what the newest portfolio holds in it."""

    label: str
    members: tuple[Member, ...]
    correlation: str
    weight: str
    share: float


def cluster_cards(candidate_clusters: pd.DataFrame, weights: pd.DataFrame) -> list[ClusterCard]:
    """Cards of the newest clustering, in label order; `weights` are one entrant's rows."""
    now = newest(candidate_clusters)
    held = newest(weights).set_index("symbol")["weight"].to_dict()
    total = sum(abs(weight) for weight in held.values()) or 1.0
    cards = []
    for cluster, group in now.groupby("cluster", sort=True):
        entries = list(
            zip(group["symbol"].tolist(), group["mean_correlation"].tolist(), strict=True)
        )
        members = tuple(
            Member(name, percent(held.get(name, 0.0), 1), ratio(mean), _level(mean))
            for name, mean in sorted(entries, key=lambda e: (-abs(held.get(e[0], 0.0)), e[0]))
        )
        mass = sum(held.get(name, 0.0) for name, _ in entries)
        mean = float(group["mean_correlation"].mean())
        share = min(1.0, abs(mass) / total)
        cards.append(ClusterCard(str(cluster), members, ratio(mean), percent(mass, 1), share))
    return cards


def _level(correlation: float) -> int:
    """Tint 0-4 for a correlation below 0.2, 0.4, 0.6, 0.8, and above."""
    return 0 if math.isnan(correlation) else min(4, max(0, int(correlation * 5)))


_PROVENANCE = (
    Column("Asset", numeric=False),
    Column("Rows"),
    Column("Manifests, SHA-256", numeric=False, hint="Digest of the manifests of all cells read"),
    Column("Code", numeric=False, hint="Digest of the code that made them"),
)


def provenance_table(provenance: Provenance) -> Table:
    """Every input asset with its digests; the code column only when a code version is known."""
    has_code = any(entry.code_version for entry in provenance.assets)
    columns = _PROVENANCE if has_code else _PROVENANCE[:-1]
    rows = []
    for entry in provenance.assets:
        rows_read = float("nan") if entry.rows is None else float(entry.rows)
        cells = (
            word(entry.asset, "name"),
            number(rows_read, count(rows_read)),
            word(entry.sha256, "hash"),
            word(entry.code_version, "hash"),
        )
        rows.append(Row(cells[: len(columns)]))
    return Table(columns, tuple(rows))
