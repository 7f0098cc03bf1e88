"""Tables of the report: trades, symbols, costs, fills better and worse, leaks, windows, hashes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from quant_assets.quant.analytics.metrics import monthly_returns
from quant_assets.quant.leaks.report import LeakReport
from quant_assets.reporting.formats import MISSING, count, day, percent, ratio
from quant_assets.reporting.monthly import MONTHS, tint
from quant_assets.reporting.tables import Cell, Column, Row, Table, number, records, word

MOST_ROWS = 2000
YEAR_FACTOR = 3.5


def amount(value: float) -> Cell:
    """Money with two digits."""
    return number(value, ratio(value, 2))


def share(value: float, digits: int = 2) -> Cell:
    """A fraction as per cent."""
    return number(value, percent(value, digits))


def figure_of(value: float) -> Cell:
    """A price or quantity with six significant digits, at least two after the point."""
    digits = 2
    if np.isfinite(value) and value:
        digits = min(10, max(2, 5 - int(np.floor(np.log10(abs(value))))))
    return number(value, ratio(value, digits))


def moment(value: Any) -> Cell:
    """A UTC time, to the minute; days alone at midnight."""
    if pd.isna(value):
        return Cell(MISSING)
    text = f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
    return Cell(text, value.isoformat())


TRADES = (
    Column("#", hint="Number of the trade, in the order of entries"),
    Column("Symbol", numeric=False),
    Column("Side", numeric=False),
    Column("Entry", numeric=False, hint="Bar of the entry, UTC"),
    Column("Price"),
    Column("Exit", numeric=False, hint="Bar of the exit, UTC"),
    Column("Price"),
    Column(
        "Reason", numeric=False, hint="What ended the trade; `open` is marked at the last close"
    ),
    Column("Bars"),
    Column("Quantity"),
    Column("Result", hint="Net of all costs, in the account's money"),
    Column("Result", hint="Net result over the notional at entry"),
    Column("MAE", hint="Worst moment, of the entry price"),
    Column("MFE", hint="Best moment, of the entry price"),
    Column("Costs", hint="Commission, slippage, borrow, funding and penalties"),
    Column("Regime", numeric=False),
    Column("Gap", numeric=False, hint="Held over bars that are missing"),
)

OPTIONAL = (15, 16)  # columns of regime and gap, the last ones


def trades_table(trades: pd.DataFrame) -> Table:
    """One row per trade, in the order of exits; of very many the last ones.

    Regime and gap are columns only where a trade has one.
    """
    rows = []
    for row in records(trades.tail(MOST_ROWS)):
        costs = sum(row[name] for name in ("commission", "slippage", "borrow", "penalty"))
        regime = row["regime_at_entry"]
        cells = (
            number(row["trade"], count(row["trade"])),
            word(str(row["symbol"]), "name"),
            word(str(row["direction"])),
            moment(row["entry_ts"]),
            figure_of(row["entry_price"]),
            moment(row["exit_ts"]),
            figure_of(row["exit_price"]),
            word(str(row["exit_reason"]).replace("_", " ")),
            number(row["bars_held"], count(row["bars_held"])),
            figure_of(row["shares"]),
            amount(row["pnl"]),
            share(row["pnl_pct"]),
            Cell(percent(row["mae"], 2), float(row["mae"])),
            Cell(percent(row["mfe"], 2), float(row["mfe"])),
            amount(costs - row["funding"]),
            word(MISSING if regime is None else str(regime)),
            word("yes", "warn") if row["spans_gap"] else word(""),
        )
        rows.append(Row(cells))
    said = [any(row.cells[at].text not in ("", MISSING) for row in rows) for at in OPTIONAL]
    kept = [at for at in range(len(TRADES)) if at not in OPTIONAL or said[OPTIONAL.index(at)]]
    columns = tuple(TRADES[at] for at in kept)
    shown = tuple(Row(tuple(row.cells[at] for at in kept)) for row in rows)
    return Table(columns, shown, sortable=True, kind="trades")


def symbols_table(by_symbol: pd.DataFrame) -> Table:
    """Profit and costs of each symbol, the best first."""
    names = ("pnl", "commission", "slippage", "borrow", "funding", "penalty")
    columns = (
        Column("Symbol", numeric=False),
        Column("Trades"),
        *(Column("Result" if n == "pnl" else n.capitalize()) for n in names),
    )
    ordered = by_symbol.sort_values("pnl", ascending=False, kind="stable").reset_index()
    rows = [
        Row(
            (
                word(str(row["symbol"]), "name"),
                number(row["n_trades"], count(row["n_trades"])),
                *(amount(row[name]) for name in names),
            )
        )
        for row in records(ordered)
    ]
    return Table(columns, tuple(rows), sortable=True)


def costs_table(costs: pd.DataFrame) -> Table:
    """What each cost took, and of the capital."""
    rows = [
        Row(
            (
                word(str(row["cost"]).replace("_", " "), "name"),
                amount(row["amount"]),
                share(row["share_of_capital"]),
            )
        )
        for row in records(costs.reset_index())
    ]
    columns = (Column("Part", numeric=False), Column("Amount"), Column("Of capital"))
    return Table(columns, tuple(rows), kind="compact")


def audit_table(audit: pd.DataFrame | None) -> Table:
    """The run with better and with worse fills."""
    columns = (
        Column("Fills", numeric=False),
        Column("Final equity"),
        Column("Total return"),
        Column("Sharpe ratio"),
        Column("Max drawdown"),
        Column("Trades"),
    )
    if audit is None:
        return Table(columns)
    rows = [
        Row(
            (
                word(str(row["execution"]), "name"),
                amount(row["final_equity"]),
                share(row["total_return"]),
                number(row["sharpe"], ratio(row["sharpe"])),
                share(row["max_drawdown"]),
                number(row["n_trades"], count(row["n_trades"])),
            ),
            "focus" if row["execution"] == "default" else "",
        )
        for row in records(audit.reset_index())
    ]
    return Table(columns, tuple(rows), kind="compact")


def monte_carlo_table(figures: pd.DataFrame | None) -> Table:
    """Figures of the runs that might have been, beside the one that was."""
    titles = ("As it happened", "5 %", "Median", "95 %")
    columns = (
        Column("Drawn", numeric=False),
        Column("Figure", numeric=False),
        *(Column(title) for title in titles),
    )
    if figures is None:
        return Table(columns)
    names = ("observed", "lower", "median", "upper")
    rows = []
    for row in records(figures):
        cells = [number(row[name], _drawn(str(row["figure"]), row[name])) for name in names]
        words = (str(row[name]).replace("_", " ") for name in ("kind", "figure"))
        rows.append(Row((*(word(text) for text in words), *cells)))
    return Table(columns, tuple(rows), kind="compact")


def _drawn(figure: str, value: float) -> str:
    """A figure of resampled runs: ratios, numbers of trades, else fractions."""
    if figure in ("losing_run", "n_trades"):
        return ratio(value, 0 if value % 1 == 0 else 1)
    return ratio(value) if figure == "sharpe" else percent(value, 1)


def leaks_table(report: LeakReport | None) -> Table:
    """What changed although nothing known had changed."""
    columns = tuple(
        Column(title, numeric=False)
        for title in ("Output", "Probe", "Time", "Symbol", "Was", "Became", "Likely cause")
    )
    if report is None:
        return Table(columns)
    rows = [
        Row(
            (
                word(leak.output, "name"),
                word(leak.probe),
                word(leak.ts),
                word(leak.symbol),
                word(leak.expected),
                word(leak.found),
                word(" ".join((leak.cause, *leak.source))),
            )
        )
        for leak in (*report.leaks, *report.unstable)
    ]
    return Table(columns, tuple(rows))


def windows_table(windows: pd.DataFrame | None) -> Table:
    """Each window of a walk-forward run."""
    columns = (
        Column("Test from", numeric=False),
        Column("to", numeric=False),
        Column("In sample"),
        Column("Out of sample"),
        Column("Degradation", hint="(in - out) / in; not where in sample is 0 or less"),
        Column("Parameters", numeric=False),
    )
    if windows is None:
        return Table(columns)
    rows = [
        Row(
            (
                word(day(row["test_start"])),
                word(day(row["test_end"])),
                number(row["in_sample"], ratio(row["in_sample"])),
                number(row["out_of_sample"], ratio(row["out_of_sample"])),
                number(row["degradation"], percent(row["degradation"], 0)),
                word(str(row["parameters"])),
            )
        )
        for row in records(windows)
    ]
    return Table(columns, tuple(rows), sortable=True)


def monthly_table(returns: np.ndarray, ts: pd.DatetimeIndex) -> Table:
    """Returns of calendar months, UTC, newest year first, with each year's total."""
    months = monthly_returns(returns, ts)
    columns = (Column("Year", numeric=False), *(Column(name) for name in MONTHS), Column("Year"))
    cells = months.to_numpy(dtype="float64")
    totals = np.nanprod(1.0 + cells, axis=1) - 1.0
    rows = [
        Row(
            (
                Cell(str(int(year))),
                *(_heat(value, 1.0) for value in values),
                _heat(total, YEAR_FACTOR, " total"),
            )
        )
        for year, values, total in zip(months.index, cells.tolist(), totals.tolist(), strict=True)
    ]
    return Table(columns, tuple(reversed(rows)), kind="heat")


def _heat(value: float, scale: float, more: str = "") -> Cell:
    text = percent(value, 1).removesuffix("%") if np.isfinite(value) else ""
    return Cell(text, tone=tint(value, scale) + more)


def hashes_table(hashes: Mapping[str, str]) -> Table:
    """What went in and what came out, as SHA-256."""
    meanings = {
        "run": "all that went in",
        "strategy": "logic and settings",
        "parameters": "parameters alone",
        "bars": "clock, symbols and all values",
        "execution": "fills and costs",
        "capital": "capital",
        "benchmark": "its returns",
        "start": "the first bar that is traded",
        "result": "equity, fills, orders, trades: BacktestResult.hash()",
    }
    rows = [
        Row((word(name, "name"), word(meanings.get(name, "")), word(text, "hash")))
        for name, text in hashes.items()
    ]
    columns = tuple(Column(title, numeric=False) for title in ("Hash of", "Covers", "SHA-256"))
    return Table(columns, tuple(rows))
