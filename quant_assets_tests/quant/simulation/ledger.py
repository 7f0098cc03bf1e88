"""A slow, independent ledger in plain numpy: the oracle of the compiled kernel (no gaps).

The equity after costs is found by walking the sorted breakpoints of the piecewise-linear cost
function (the kernel uses Newton's method); equity is balances only; funding is looked up by time.
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Market:
    """Prices (time, symbol), bar opens in hours, funding as (hour, symbol, rate, mark or NaN)."""

    opens: np.ndarray
    closes: np.ndarray
    hours: np.ndarray
    bar_hours: float
    settlements: list[tuple[float, int, float, float]] = field(default_factory=list)


@dataclass
class Costs:
    fee: float = 0.0
    slippage: float = 0.0
    interest: float = 0.0
    at_open: bool = True


def equity_after_costs(equity, value, weight, costs):
    """Root of x + costs(x) = equity by evaluating all breakpoints v / w and interpolating."""
    buy = costs.slippage + costs.fee * (1 + costs.slippage)
    sell = costs.slippage + costs.fee * (1 - costs.slippage)

    def excess(x):
        order = weight * x - value
        return x + np.sum(np.where(order > 0, buy * order, -sell * order)) - equity

    with np.errstate(divide="ignore", invalid="ignore"):
        breaks = value / weight
    grid = np.unique(np.r_[0.0, breaks[np.isfinite(breaks) & (breaks > 0)], 2 * equity])
    heights = np.array([excess(x) for x in grid])
    upper = int(np.argmax(heights >= 0))
    low, high = grid[upper - 1], grid[upper]
    return low - excess(low) * (high - low) / (excess(high) - excess(low))


def run(market, decisions, costs, cash, quantity):
    """Equity per bar; `decisions` maps a bar to its weights. Returns (equity, cash, quantity)."""
    quantity = np.array(quantity, dtype=float)
    equity = []
    before_close_fill = quantity.copy()
    for t, hour in enumerate(market.hours):
        cash += _funding(market, t, before_close_fill, lambda at, now=hour: at == now)
        if costs.at_open and t in decisions:
            cash, quantity = _rebalance(cash, quantity, market.opens[t], decisions[t], costs)
        end = hour + market.bar_hours
        cash += _funding(market, t, quantity, lambda at, now=hour, end=end: now < at < end)
        cash *= 1 + costs.interest
        before_close_fill = quantity.copy()
        if not costs.at_open and t in decisions:
            cash, quantity = _rebalance(cash, quantity, market.closes[t], decisions[t], costs)
        equity.append(cash + quantity @ market.closes[t])
    return np.array(equity), cash, quantity


def _funding(market, t, held, is_due):
    known = market.closes[t - 1] if t else market.opens[0]
    return -sum(
        held[symbol] * (known[symbol] if np.isnan(mark) else mark) * rate
        for at, symbol, rate, mark in market.settlements
        if is_due(at)
    )


def _rebalance(cash, quantity, price, weight, costs):
    value = quantity * price
    after = equity_after_costs(cash + value.sum(), value, np.asarray(weight), costs)
    target = np.asarray(weight) * after / price
    order = target - quantity
    fill = price * (1 + np.sign(order) * costs.slippage)
    return cash - np.sum(order * fill) - np.sum(costs.fee * np.abs(order) * fill), target
