"""Tables of runs at the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

MISSING = "–"
FIGURES: Mapping[str, tuple[str, str]] = {
    "total_return": ("Total return", "{:.2%}"),
    "cagr": ("CAGR", "{:.2%}"),
    "annual_volatility": ("Volatility, a year", "{:.2%}"),
    "sharpe_ratio": ("Sharpe ratio", "{:.2f}"),
    "sortino_ratio": ("Sortino ratio", "{:.2f}"),
    "max_drawdown": ("Max drawdown", "{:.2%}"),
    "calmar_ratio": ("Calmar ratio", "{:.2f}"),
}


def text_of(value: Any, form: str) -> str:
    """The value in this form; a dash for None, which stands for NaN."""
    return MISSING if value is None else form.format(value)


def run_title(record: Mapping[str, Any]) -> str:
    """Strategy, universe and span in one line."""
    span = f"{record['first_bar'][:10]} to {record['last_bar'][:10]}"
    return f"{record['strategy']} {record['version']} on {record['universe']}, {span}"


def run_table(record: Mapping[str, Any]) -> Table:
    """Figures of one run."""
    table = Table(show_header=False)
    table.add_column("figure")
    table.add_column("value", justify="right", no_wrap=True)
    for row in figure_rows(record):
        table.add_row(*row)
    return table


def figure_rows(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs of a figure's title and its text."""
    metrics, costs = record["metrics"], record["costs"]
    rows = [
        ("Symbols", f"{len(record['symbols'])}"),
        ("Bars", f"{record['n_bars']:,} of {record['bar_length']}"),
        ("Final equity", f"{record['final_equity']:,.2f}"),
    ]
    rows += [(title, text_of(metrics.get(name), form)) for name, (title, form) in FIGURES.items()]
    trades = f"{record['n_trades']:,}"
    trades += f" and {record['open_trades']} open" if record["open_trades"] else ""
    rows.append(("Trades", trades))
    rows += [
        (title, text_of(record["trade_figures"].get(name), form)) for name, title, form in TRADES
    ]
    rows += [
        (f"Cost: {name}", f"{-amount:,.2f}")
        for name, amount in costs.items()
        if name != "price_gains" and amount
    ]
    return rows


TRADES = (
    ("win_rate", "Won", "{:.1%}"),
    ("profit_factor", "Profit factor", "{:.2f}"),
    ("mean_trade", "Mean trade, net", "{:.3%}"),
    ("mean_bars", "Bars held, mean", "{:.1f}"),
    ("exposure", "Bars with a position", "{:.1%}"),
    ("gap_profit", "Profit over gaps", "{:,.2f}"),
)


def say(console: Console, lines: Sequence[str], *, style: str = "") -> None:
    """Plain lines, without markup or wrapping."""
    for line in lines:
        console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def comparison_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """Runs side by side, a column each; figures in rows."""
    table = Table(title="Runs side by side")
    table.add_column("figure")
    for record in records:
        title = f"{record['strategy']} {record['version']}\n{record['run_hash'][:8]}"
        table.add_column(escape(title), justify="right")
    span = [f"{r['first_bar'][:10]} to {r['last_bar'][:10]}" for r in records]
    table.add_row("Universe", *(escape(str(record["universe"])) for record in records))
    table.add_row("Span", *span)
    titles: dict[str, None] = {}
    columns = [dict(figure_rows(record)) for record in records]
    for column in columns:
        titles |= dict.fromkeys(column)
    for title in titles:
        table.add_row(title, *(column.get(title, MISSING) for column in columns))
    return table
