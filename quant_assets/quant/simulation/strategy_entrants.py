"""Strategies as entrants of the tournament: their own accounts beside those of the optimizers.

An optimizer's weights are executed here; a strategy has been executed already, by its own rules and
costs, and brings the account of that run. Its rows of `Equity` have the same cash, equity and
returns, to the last bit; what it holds, its fills and its trades stay in its own assets.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.context import SimulationContext
from quant_assets.core.errors import ConfigError
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.market.bars import instants
from quant_assets.quant.simulation.engine import simulate_window
from quant_assets.quant.simulation.settlements import refuse_inverse

Floats = npt.NDArray[np.float64]


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

    strategies : `<strategy>_equity` and `<strategy>_fills` of the window; without any the result is
    that of `simulate_window` itself. A strategy with the name of another entrant is a
    `ConfigError`.
    """
    frames = simulate_window(
        context,
        telemetry,
        portfolio_weights=portfolio_weights,
        bars=bars,
        funding=funding,
        final_holdings=final_holdings,
    )
    accounts = []
    for name in sorted(key.removesuffix("_fills") for key in strategies if key.endswith("_fills")):
        if (portfolio_weights["entrant"] == name).any():
            raise ConfigError(
                f"strategies.entrants names {name!r}, which is an entrant of the optimizers: give "
                "the strategy another name"
            )
        account = entrant_equity(name, strategies[f"{name}_equity"], strategies[f"{name}_fills"])
        telemetry.log_metrics(f"simulation/{name}", {"bars": float(len(account))})
        if len(account):
            accounts.append(account)
    if accounts:
        parts = [frames["equity"], *accounts] if len(frames["equity"]) else accounts
        every = pd.concat(parts, ignore_index=True)
        frames["equity"] = every.sort_values(["ts", "entrant"], ignore_index=True)
    return frames


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


def _traded(equity: pd.DataFrame, fills: pd.DataFrame) -> Floats:
    """Notional traded in each bar, at reference prices."""
    bar = np.searchsorted(instants(equity["ts"]), instants(fills["ts"]))
    notional = np.abs(fills["quantity"].to_numpy() * fills["reference_price"].to_numpy())
    traded: Floats = np.bincount(bar, weights=notional, minlength=len(equity)).astype(np.float64)
    return traded
