"""Tables of what was found out about a run: capital, sealed months, another run."""

import pandas as pd

from quant_assets.reporting.formats import MISSING, count, percent, ratio
from quant_assets.reporting.strategy.tables import moment, share
from quant_assets.reporting.tables import Column, Row, Table, number, records, word


def vault_table(parts: pd.DataFrame | None) -> Table:
    """Figures before the sealed months and in them."""
    columns = (
        *(Column(title, numeric=False) for title in ("Part", "From", "To")),
        *(Column(title) for title in ("Bars", "Return", "Sharpe ratio", "Max drawdown", "Trades")),
    )
    if parts is None:
        return Table(columns)
    rows = [
        Row(
            (
                word(str(row["part"]), "name"),
                moment(row["first"]),
                moment(row["last"]),
                number(row["n_bars"], count(row["n_bars"])),
                share(row["total_return"]),
                number(row["sharpe"], ratio(row["sharpe"])),
                share(row["max_drawdown"]),
                number(row["n_trades"], count(row["n_trades"])),
            ),
            "focus" if row["part"] == "sealed" else "",
        )
        for row in records(parts)
    ]
    return Table(columns, tuple(rows), kind="compact")


def diff_table(diff: pd.DataFrame | None) -> Table:
    """What each part that differs between two runs does."""
    columns = (
        Column("Part", numeric=False),
        Column("Return so far", hint="With all parts up to this one swapped"),
        Column("Step", hint="The change by this part; steps add up"),
        Column("Alone", hint="The change when this part alone is swapped"),
        Column("Interaction", hint="What the step owes to the parts before"),
        Column("First change", numeric=False, hint="First bar whose equity moved"),
        Column("Trades"),
    )
    if diff is None:
        return Table(columns)
    rows = [
        Row(
            (
                word(str(row["part"]), "name"),
                share(row["total_return"]),
                *(
                    number(row[name], percent(row[name], 2, sign=True))
                    for name in ("step", "alone", "interaction")
                ),
                word(MISSING) if pd.isna(row["first_change"]) else moment(row["first_change"]),
                number(row["n_trades"], count(row["n_trades"])),
            )
        )
        for row in records(diff)
    ]
    return Table(columns, tuple(rows), kind="compact")
