"""What might have been: bands over resampled histories, in a table and by entrant."""

import pandas as pd

from quant_assets.reporting.formats import count, percent, plural, ratio
from quant_assets.reporting.tables import Cell, Column, Row, Table, number, records, word

TITLES = {
    "cagr": "CAGR",
    "sharpe_ratio": "Sharpe ratio",
    "max_drawdown": "Maximum drawdown",
    "terminal_wealth": "Wealth at the end, of 1",
}
WRITTEN = {"sharpe_ratio": ratio, "terminal_wealth": ratio}
SHARES = ("q05", "q25", "q50", "q75", "q95")
NAMES = ("5%", "25%", "Median", "75%", "95%")


def bands_note(monte_carlo: pd.DataFrame, focus: str) -> str:
    """How the histories of the entrant shown in detail were drawn; empty without rows."""
    own = [row for row in records(monte_carlo) if row["entrant"] == focus]
    if not own:
        return ""
    first = own[0]
    return (
        f"{count(first['n_paths'])} histories of {plural(int(first['n_days']), 'day')}, drawn from "
        f"the daily net returns of {focus} in blocks of {ratio(first['mean_block'], 1)} on average "
        f"(seed {first['seed']}): how much of each figure is the order and choice of days. No "
        "history has a day that the record lacks. The risk-free rate is not deducted."
    )


def focus_bands(monte_carlo: pd.DataFrame, focus: str) -> Table:
    """One row per figure of the entrant shown in detail."""
    rows = {row["figure"]: row for row in records(monte_carlo) if row["entrant"] == focus}
    return Table(
        (
            Column("Figure", numeric=False),
            Column("Observed", hint="of the record itself"),
            *(Column(name, hint="quantile over the resampled histories") for name in NAMES),
        ),
        tuple(
            Row((word(title), *(_cell(rows[figure], name) for name in ("observed", *SHARES))))
            for figure, title in TITLES.items()
            if figure in rows
        ),
    )


def entrants_bands(monte_carlo: pd.DataFrame, focus: str) -> Table:
    """One row per entrant with the 5 %, the median and the 95 % of three figures."""
    shown = ("sharpe_ratio", "cagr", "max_drawdown")
    columns = [
        Column(f"{TITLES[figure]}, {name}") for figure in shown for name in ("5%", "median", "95%")
    ]
    by_entrant: dict[str, dict[str, dict[str, float]]] = {}
    for row in records(monte_carlo):
        by_entrant.setdefault(row["entrant"], {})[row["figure"]] = row
    return Table(
        (Column("Entrant", numeric=False), *columns),
        tuple(
            Row(
                (
                    word(name),
                    *(
                        _cell(figures[figure], share)
                        for figure in shown
                        for share in ("q05", "q50", "q95")
                    ),
                ),
                kind="focus" if name == focus else "",
            )
            for name, figures in sorted(by_entrant.items())
        ),
        sortable=True,
    )


def _cell(row: dict[str, float], name: str) -> Cell:
    written = WRITTEN.get(str(row["figure"]), percent)
    return number(row[name], written(row[name]))
