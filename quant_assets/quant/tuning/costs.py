"""At which costs, delays and sizes a strategy stops to earn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.core.executor import Executor, SerialExecutor
from quant_assets.quant.analytics.metrics import sharpe_ratio
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.simulation.execution.model import ExecutionModel
from quant_assets.quant.simulation.execution.results import BacktestResult
from quant_assets.quant.simulation.execution.runs import backtest
from quant_assets.quant.strategies.base import Strategy
from quant_assets.quant.tuning.bench import Execution, execution_model

__all__ = ["Capacity", "CostSurface", "capacity", "cost_surface"]

Floats = npt.NDArray[np.float64]
AXES = ("fee", "slippage", "delay", "size")
TOLERANCE, STEPS = 1e-3, 40  # of the capacity, relative; bisections at most


class _Place(NamedTuple):
    fee: float
    slippage: float
    delay: int
    size: float


@dataclass(frozen=True)
class CostSurface:
    """Figures at every combination of costs.

    frame : columns `fee` and `slippage` (factors on the commission and slippage of the execution),
        `delay` (bars of latency more), `size` (factor on the initial capital), `total_return`,
        `log_growth`, `sharpe`, `n_trades`, `costs_bps` (commission and slippage over what was
        traded, in basis points).
    """

    frame: pd.DataFrame

    def break_even(self) -> pd.DataFrame:
        """The line of fees at which nothing is left, one row per `slippage`, `delay` and `size`.

        `fee` : where the logarithm of the final wealth crosses 0 between two tried fees, by a
        straight line; NaN when it never does. `fails`: it is lost at the smallest fee already;
        `survives`: it earns at the largest.
        """
        rows = []
        for key, part in self.frame.groupby(["slippage", "delay", "size"], sort=True):
            line = part.sort_values("fee")
            fee, growth = line["fee"].to_numpy(), line["log_growth"].to_numpy()
            rows.append(
                {
                    **dict(zip(("slippage", "delay", "size"), key, strict=True)),
                    "fee": _crossing(fee, growth),
                    "fails": bool(growth[0] <= 0.0),
                    "survives": bool(growth[-1] > 0.0),
                }
            )
        return pd.DataFrame(rows)

    def table(
        self, rows: str = "fee", columns: str = "slippage", value: str = "total_return"
    ) -> Any:
        """Two axes as rows and columns, the others at their smallest value."""
        unknown = sorted({rows, columns} - set(AXES))
        if unknown or rows == columns or value not in self.frame:
            raise ConfigError(f"{rows!r} and {columns!r} must be two of {AXES}, {value!r} a figure")
        part = self.frame
        for axis in set(AXES) - {rows, columns}:
            part = part[part[axis] == part[axis].min()]
        return part.pivot_table(index=rows, columns=columns, values=value)


def _crossing(x: Floats, y: Floats) -> float:
    """Where y, which begins above 0, first reaches 0, by a straight line; NaN: nowhere."""
    down = np.flatnonzero((y[:-1] > 0.0) & (y[1:] <= 0.0))
    if not len(down) or y[0] <= 0.0:
        return float("nan")
    i = int(down[0])
    return float(x[i] + (x[i + 1] - x[i]) * y[i] / (y[i] - y[i + 1]))


@dataclass(frozen=True)
class _Costly:
    """Runs the strategy at one place of the surface; can be sent to processes."""

    strategy: Strategy
    bars: BarPanel
    execution: ExecutionModel
    capital: float
    arguments: Mapping[str, Any]

    def __call__(self, place: _Place) -> dict[str, float]:
        model = self.execution
        fills = replace(model.fills, latency=model.fills.latency + place.delay)
        costly = replace(
            model,
            fill_model=fills if place.delay else model.fills,
            commission_scale=model.commission_scale * place.fee,
            slippage_scale=model.slippage_scale * place.slippage,
        )
        result = backtest(
            self.strategy,
            self.bars,
            costly,
            initial_capital=self.capital * place.size,
            **self.arguments,
        )
        return {**place._asdict(), **_figures(result)}


def _figures(result: BacktestResult) -> dict[str, float]:
    wealth = result.final_equity / result.initial_capital
    returns = result.equity["returns"].to_numpy()
    fills = result.fills
    traded = float((fills["quantity"].abs() * fills["reference_price"]).sum())
    paid = float(fills["commission"].sum() + fills["slippage"].sum())
    return {
        "total_return": wealth - 1.0,
        "log_growth": float(np.log(wealth)) if wealth > 0.0 else -np.inf,
        "sharpe": float(sharpe_ratio(returns, result.periods_per_year)),
        "n_trades": float(result.n_trades),
        "costs_bps": 1e4 * paid / traded if traded > 0.0 else float("nan"),
    }


def cost_surface(  # noqa: PLR0913  # a door: the four axes of the surface
    strategy: Strategy,
    bars: BarPanel,
    execution: Execution = None,
    *,
    fees: Sequence[float] = (0.0, 1.0, 2.0, 4.0, 8.0),
    slippages: Sequence[float] = (0.0, 1.0, 2.0, 4.0),
    delays: Sequence[int] = (0, 1),
    sizes: Sequence[float] = (1.0,),
    initial_capital: float = 100_000.0,
    executor: Executor | None = None,
    **arguments: Any,
) -> CostSurface:
    """The strategy run at every combination of fees, slippages, delays and sizes.

    fees, slippages : factors on what the execution asks; sizes : factors on the initial capital,
    which matter where slippage depends on size. arguments : further ones of `backtest`.
    `costs_bps` takes quantities times prices as what was traded: right for one currency and
    multipliers of 1.
    """
    model = execution_model(execution, strategy)
    axes = {"fees": fees, "slippages": slippages, "delays": delays, "sizes": sizes}
    for name, values in axes.items():
        if len(values) == 0 or min(values) < 0.0 or (name == "sizes" and min(values) == 0.0):
            raise ConfigError(f"{name} {list(values)} must be numbers of at least 0, sizes above")
    places = [
        _Place(float(fee), float(slippage), delay, float(size))
        for fee, slippage, delay, size in product(fees, slippages, delays, sizes)
    ]
    run = _Costly(strategy, bars, model, initial_capital, arguments)
    found = (executor or SerialExecutor()).map(run, places)
    return CostSurface(pd.DataFrame(list(found)))


@dataclass(frozen=True)
class Capacity:
    """How much capital a strategy bears.

    capital : at which the Sharpe ratio is `share` of that at the smallest capital; infinity: at the
    largest tried capital it is still more. frame : `capital`, `sharpe`, `total_return`,
    `costs_bps` of all runs, by capital.
    """

    capital: float
    sharpe: float
    share: float
    frame: pd.DataFrame


def capacity(
    strategy: Strategy,
    bars: BarPanel,
    execution: Execution = None,
    *,
    smallest: float = 1e3,
    largest: float = 1e12,
    share: float = 0.5,
    **arguments: Any,
) -> Capacity:
    """The capital at which impact halves the Sharpe ratio (or leaves another `share` of it).

    Capital grows tenfold until it does, then the step is halved on the logarithmic scale, to 0.1 %.
    Only slippage that depends on size, a participation cap or a commission with a maximum makes it
    finite: take an execution with `sqrt_volume` or `volume_share`.

    Raises
    ------
    DataError
        The Sharpe ratio at the smallest capital is not above 0: there is nothing to halve.
    """
    if not (0.0 < smallest < largest and 0.0 < share < 1.0):
        raise ConfigError(
            f"capital from {smallest} to {largest} must be above 0 and grow; share {share} must "
            "lie between 0 and 1"
        )
    model = execution_model(execution, strategy)
    rows: dict[float, dict[str, float]] = {}

    def ratio(capital: float) -> float:
        found = backtest(strategy, bars, model, initial_capital=capital, **arguments)
        rows[capital] = {"capital": capital, **_figures(found)}
        return rows[capital]["sharpe"]

    base = ratio(smallest)
    if not base > 0.0:
        raise DataError(
            f"the Sharpe ratio with a capital of {smallest:g} is {base:.3g}: a strategy that earns "
            "nothing has no capacity"
        )
    low, high = smallest, smallest
    while high < largest and _holds(ratio(min(10.0 * high, largest)), share * base):
        low = high = min(10.0 * high, largest)
    if high >= largest:
        return Capacity(np.inf, base, share, _by_capital(rows))
    high = min(10.0 * high, largest)
    for _ in range(STEPS):
        if high / low < 1.0 + TOLERANCE:
            break
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if _holds(ratio(middle), share * base) else (low, middle)
    return Capacity(float(np.sqrt(low * high)), base, share, _by_capital(rows))


def _holds(ratio: float, least: float) -> bool:
    """Whether a Sharpe ratio is still above; an undefined one (ruin) is not."""
    return bool(np.isfinite(ratio) and ratio > least)


def _by_capital(rows: Mapping[float, Mapping[str, float]]) -> pd.DataFrame:
    columns = ["capital", "sharpe", "total_return", "costs_bps"]
    return pd.DataFrame([rows[key] for key in sorted(rows)])[columns]
