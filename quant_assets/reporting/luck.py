"""How much of the leaderboard may be luck: a sentence, and a table of all entrants."""

import math

import pandas as pd

from quant_assets.reporting.formats import MISSING, count, percent, plural, ratio
from quant_assets.reporting.tables import Column, Row, Table, number, records, word

CONVINCING = 0.95


def luck_verdict(overfitting: pd.DataFrame, focus: str) -> str:
    """Say how many trials there were, and what that leaves of the entrant shown in detail."""
    if overfitting.empty:
        return ""
    first = records(overfitting)[0]
    searched = int(first["searched_trials"])
    of_searches = f" ({count(searched)} of them by searches over parameters)" if searched else ""
    worth = "the others worth" if searched else "worth"
    tried = (
        f"{plural(int(first['n_trials']), 'trial')} so far{of_searches}, {worth} "
        f"{ratio(first['effective_trials'], 1)} independent ones."
    )
    chance = first["pbo"]
    chosen = (
        f" Choosing the best of {count(int(first['pbo_trials']))} in one half of "
        f"{plural(int(first['pbo_days']), 'day')} gives one of the worse half in the other in "
        f"{percent(chance, 0)} of the splits (PBO)."
        if math.isfinite(chance)
        else ""
    )
    own = [row for row in records(overfitting) if row["entrant"] == focus]
    if not own or not math.isfinite(own[0]["dsr"]):
        return tried + chosen
    proof = "convincing" if own[0]["dsr"] >= CONVINCING else "not convincing"
    family = (
        f" ({percent(own[0]['family_dsr'])} after the {count(int(own[0]['family_trials']))} of its "
        "own family)"
        if searched
        else ""
    )
    verdict = f"After them {focus} has a DSR of {percent(own[0]['dsr'])}{family}: {proof}."
    return f"{tried} {verdict}{chosen}"


def luck_table(overfitting: pd.DataFrame, focus: str) -> Table:
    """One row per entrant, best DSR first."""
    columns = (
        Column("Entrant", numeric=False),
        Column("Days"),
        Column("Sharpe, a day", hint="mean over deviation (ddof 1) of daily net returns"),
        Column("PSR", hint="probability that the true Sharpe ratio exceeds 0"),
        Column("DSR", hint="that it exceeds what the best of all trials shows without skill"),
        Column(
            "Days needed",
            hint="record that a PSR of 95 % needs; none at a Sharpe ratio of 0 or less",
        ),
        Column(
            "Family trials", hint="of the entrant's own name, its walk-forward and its searches"
        ),
        Column("Family DSR", hint="the DSR after the trials of its own family alone"),
    )
    rows = sorted(records(overfitting), key=lambda row: (-_or_least(row["dsr"]), row["entrant"]))
    return Table(
        columns,
        tuple(
            Row(
                (
                    word(row["entrant"]),
                    number(row["n_days"], count(int(row["n_days"]))),
                    number(row["sharpe_ratio"], ratio(row["sharpe_ratio"], 4)),
                    number(row["psr"], percent(row["psr"])),
                    number(row["dsr"], percent(row["dsr"])),
                    number(row["minimum_days"], _days(row["minimum_days"])),
                    number(row["family_trials"], count(int(row["family_trials"]))),
                    number(row["family_dsr"], percent(row["family_dsr"])),
                ),
                kind="focus" if row["entrant"] == focus else "",
            )
            for row in rows
        ),
        sortable=True,
    )


def _or_least(value: float) -> float:
    return value if math.isfinite(value) else -1.0


def _days(value: float) -> str:
    return count(math.ceil(value)) if math.isfinite(value) else MISSING
