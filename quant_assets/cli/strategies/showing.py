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
    if "benchmark" in record:
        shown = (f"Benchmark {record['benchmark']}", text_of(record["benchmark_return"], "{:.2%}"))
        rows.append(shown)
        rows += [(title, text_of(metrics.get(n), form)) for n, (title, form) in AGAINST.items()]
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


AGAINST = {
    "excess_cagr": ("CAGR above the benchmark", "{:.2%}"),
    "beta": ("Beta", "{:.2f}"),
    "jensen_alpha": ("Alpha, a year", "{:.2%}"),
    "information_ratio": ("Information ratio", "{:.2f}"),
}
TRADES = (
    ("win_rate", "Won", "{:.1%}"),
    ("profit_factor", "Profit factor", "{:.2f}"),
    ("mean_trade", "Mean trade, net", "{:.3%}"),
    ("mean_bars", "Bars held, mean", "{:.1f}"),
    ("exposure", "Bars with a position", "{:.1%}"),
    ("gap_profit", "Profit over gaps", "{:,.2f}"),
)


def _table(title: str, columns: Mapping[str, tuple[str, str]], frame: Any) -> Table:
    """Rows of a frame. columns : title and form by name; text of a NaN is a dash."""
    table = Table(title=title or None)
    for heading, form in columns.values():
        table.add_column(heading, justify="left" if form == "{}" else "right")
    for row in frame.to_dict("records"):
        cells = [
            MISSING if row[name] != row[name] else form.format(row[name])
            for name, (_, form) in columns.items()
        ]
        table.add_row(*map(escape, cells))
    return table


def audit_table(frame: Any) -> Table:
    """Better, usual and worse fills, a row each."""
    columns = {
        "execution": ("fills", "{}"),
        "final_equity": ("final equity", "{:,.2f}"),
        "total_return": ("return", "{:.2%}"),
        "sharpe": ("Sharpe", "{:.2f}"),
        "max_drawdown": ("drawdown", "{:.2%}"),
        "n_trades": ("trades", "{:,.0f}"),
        "share_of_orders_filled": ("orders filled", "{:.1%}"),
        "slippage": ("slippage", "{:,.2f}"),
        "commission": ("commission", "{:,.2f}"),
    }
    return _table("Fill audit", columns, frame.reset_index())


def survival_tables(surface: Any) -> list[Table]:
    """Total return by fees and slippage, a table for each delay."""
    found = []
    smallest = surface[surface["size"] == surface["size"].min()]
    for delay, part in smallest.groupby("delay", sort=True):
        late = "" if delay == 0 else f", orders {delay} bar{'s' if delay > 1 else ''} later"
        wide = part.pivot_table(index="fee", columns="slippage", values="total_return")
        columns = {"fee": ("fees", "{:g} x")}
        columns |= {one: (f"slippage {one:g} x", "{:.2%}") for one in wide.columns}
        found.append(_table(f"Total return{late}", columns, wide.reset_index()))
    return found


def capacity_table(frame: Any) -> Table:
    """Runs by capital."""
    columns = {
        "capital": ("capital", "{:,.0f}"),
        "sharpe": ("Sharpe", "{:.3f}"),
        "total_return": ("return", "{:.2%}"),
        "costs_bps": ("costs, bps of what was traded", "{:.1f}"),
    }
    return _table("", columns, frame)


def monte_carlo_table(frame: Any) -> Table:
    """Figures of what might have been, beside what was."""
    rows = frame.assign(**{name: frame[name].str.replace("_", " ") for name in ("kind", "figure")})
    plain, counted = (rows["figure"].isin(of) for of in (["sharpe"], ["losing run", "n trades"]))
    for name in ("observed", "lower", "median", "upper"):
        texts = frame[name].map("{:.1%}".format)
        texts = texts.where(~plain, frame[name].map("{:.2f}".format))
        rows[name] = texts.where(~counted, frame[name].map("{:.4g}".format))
    columns = {
        "kind": ("drawn", "{}"),
        "figure": ("figure", "{}"),
        "observed": ("as it happened", "{:}"),
        "lower": ("5 %", "{:}"),
        "median": ("median", "{:}"),
        "upper": ("95 %", "{:}"),
    }
    return _table("What might have been", columns, rows)


def diff_table(frame: Any) -> Table:
    """Parts that differ between two runs, and what each does."""
    columns = {
        "part": ("part", "{}"),
        "total_return": ("return so far", "{:.2%}"),
        "step": ("step", "{:+.2%}"),
        "alone": ("alone", "{:+.2%}"),
        "interaction": ("interaction", "{:+.2%}"),
        "first_change": ("first change", "{:%Y-%m-%d}"),
        "n_trades": ("trades", "{:,.0f}"),
    }
    return _table("What differs, one part after the other", columns, frame)


def parts_table(frame: Any) -> Table:
    """Figures before the sealed months and in them."""
    columns = {
        "part": ("part", "{}"),
        "first": ("from", "{:%Y-%m-%d}"),
        "last": ("to", "{:%Y-%m-%d}"),
        "n_bars": ("bars", "{:,}"),
        "total_return": ("return", "{:.2%}"),
        "sharpe": ("Sharpe", "{:.2f}"),
        "max_drawdown": ("drawdown", "{:.2%}"),
        "n_trades": ("closed trades", "{:,}"),
    }
    return _table("", columns, frame)


def looks_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Looks into a vault."""
    table = Table("look", "strategy", "sealed from", "to", "why")
    for row in rows:
        ends = (row["sealed_from"][:10], row["sealed_to"][:10])
        table.add_row(str(row["look"]), row["strategy"][:8], *ends, escape(row["reason"]))
    return table


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
