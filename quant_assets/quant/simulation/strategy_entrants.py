"""Strategies as entrants of the tournament: their own accounts beside those of the optimizers.

An optimizer's weights are executed here; a strategy has been executed already, by its own rules and
costs, and brings the account of that run. Its rows of `Equity` have the same cash, equity and
returns, to the last bit, and its fills stand among those of the others; what it holds and its
trades stay in its own assets. One on longer bars brings its account at the venue's closes.
"""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.contracts.equity import Equity
from quant_assets.contracts.fills import Fills
from quant_assets.core.context import SimulationContext
from quant_assets.core.errors import ConfigError
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.bars import instants
from quant_assets.quant.simulation.engine import simulate_window
from quant_assets.quant.simulation.settlements import refuse_inverse

Floats = npt.NDArray[np.float64]
CONTRACTS = {"equity": Equity, "fills": Fills}
MARKS = "_marks"


def simulate_entrants(
    context: SimulationContext,
    telemetry: Telemetry,
    *,
    portfolio_weights: pd.DataFrame,
    bars: pd.DataFrame,
    funding: pd.DataFrame,
    final_holdings: pd.DataFrame,
    **strategies: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """`simulate_window`, and in its `equity` the accounts of the strategies that take part.

    strategies : `<strategy>_equity` and `<strategy>_fills` of the window, of one on longer bars
    `<strategy>_marks` and `<strategy>_marks_fills`; without any the result is that of
    `simulate_window` itself. A strategy with the name of another entrant is a `ConfigError`.
    """
    frames = simulate_window(
        context,
        telemetry,
        portfolio_weights=portfolio_weights,
        bars=bars,
        funding=funding,
        final_holdings=final_holdings,
    )
    found: dict[str, list[pd.DataFrame]] = {"equity": [], "fills": []}
    for name, (account, fills) in sorted(_accounts(strategies, context.window.start).items()):
        if (portfolio_weights["entrant"] == name).any():
            raise ConfigError(
                f"strategies.entrants names {name!r}, which is an entrant of the optimizers: give "
                "the strategy another name"
            )
        counts = {"bars": float(len(account)), "fills": float(len(fills))}
        telemetry.log_metrics(f"simulation/{name}", counts)
        found["equity"].append(account)
        found["fills"].append(fills)
    for asset, own in found.items():
        parts = [frame for frame in own if len(frame)]
        if parts:
            every = [frames[asset], *parts] if len(frames[asset]) else parts
            key = [*CONTRACTS[asset].key_columns()]
            frames[asset] = pd.concat(every, ignore_index=True).sort_values(key, ignore_index=True)
    return frames


def _accounts(
    strategies: Mapping[str, pd.DataFrame], start: datetime
) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """`Equity` and `Fills` of each strategy, by its name."""
    found = {}
    for key, frame in strategies.items():
        if key.endswith(MARKS):
            found[key.removesuffix(MARKS)] = frame, strategies[f"{key}_fills"]
        elif key.endswith("_equity"):
            name = key.removesuffix("_equity")
            fills = strategies[f"{name}_fills"]
            found[name] = entrant_equity(name, frame, fills), entrant_fills(name, fills, start)
    return found


def entrant_equity(name: str, equity: pd.DataFrame, fills: pd.DataFrame) -> pd.DataFrame:
    """A window's `StrategyEquity` and `StrategyFills` as rows of `Equity`, in the account's money.

    `fees` are commissions, penalties and what was paid for borrowing, `slippage` what prices
    conceded; `gross_returns` leave both out. Rebates, and prices better than the reference, are no
    costs: they stay in the gross returns. `turnover` is the traded notional at reference prices
    over the equity at the close before.
    """
    refuse_inverse(tuple(sorted(set(fills["symbol"]))))
    values = equity["equity"].to_numpy(dtype=np.float64)
    returns = equity["returns"].to_numpy(dtype=np.float64)
    before = np.concatenate([values[:1] / (1.0 + returns[:1]), values[:-1]])
    paid = {key: np.maximum(equity[key].to_numpy(), 0.0) for key in ("commission", "borrow")}
    fees = paid["commission"] + paid["borrow"] + equity["penalty"].to_numpy()
    slippage = np.maximum(equity["slippage"].to_numpy(), 0.0)
    columns = {
        "ts": equity["ts"],
        "available_at": equity["available_at"],
        "entrant": equity["strategy_name"],
        "cash": equity["cash"],
        "position_value": equity["position_value"],
        "equity": equity["equity"],
        "returns": equity["returns"],
        "gross_returns": returns + (fees + slippage) / before,
        "fees": fees,
        "slippage": slippage,
        "funding": equity["funding"],
        "turnover": _traded(equity, fills) / before,
    }
    return pd.DataFrame(columns).assign(entrant=pd.array([name] * len(equity), dtype="str"))


def entrant_fills(name: str, fills: pd.DataFrame, start: datetime) -> pd.DataFrame:
    """A window's `StrategyFills` as rows of `Fills`; start : of the window.

    `fill_id` is the window, the strategy and the number of the fill in its own asset. `fee` is
    commission and penalty, `slippage` what the price conceded; rebates, and prices better than the
    reference, are no costs, as in `entrant_equity`.
    """
    n, prefix = len(fills), f"{start:%Y%m%dT%H%M}-{name}"
    columns = {
        "ts": fills["ts"],
        "available_at": fills["available_at"],
        "entrant": pd.array([name] * n, dtype="str"),
        "symbol": fills["symbol"],
        "fill_id": pd.array([f"{prefix}-{number}" for number in fills["fill_id"]], dtype="str"),
        "decided_at": fills["decided_at"],
        **{key: fills[key] for key in ("quantity", "reference_price", "price")},
        "fee": np.maximum(fills["commission"].to_numpy(), 0.0) + fills["penalty"].to_numpy(),
        "slippage": np.maximum(fills["slippage"].to_numpy(), 0.0),
    }
    return pd.DataFrame(columns).sort_values(Fills.key_columns(), ignore_index=True)


def _traded(equity: pd.DataFrame, fills: pd.DataFrame) -> Floats:
    """Notional traded in each bar, at reference prices."""
    bar = np.searchsorted(instants(equity["ts"]), instants(fills["ts"]))
    notional = np.abs(fills["quantity"].to_numpy() * fills["reference_price"].to_numpy())
    traded: Floats = np.bincount(bar, weights=notional, minlength=len(equity)).astype(np.float64)
    return traded
