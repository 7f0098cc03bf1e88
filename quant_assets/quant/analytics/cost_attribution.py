"""What costs took from the return, and what was left: per period and over all of them."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.analytics.linking import link_effects

__all__ = ["cost_contributions", "equity_contributions"]

BEFORE_COSTS = "before_costs"
COSTS = {"fees": -1.0, "slippage": -1.0, "funding": 1.0, "borrow": -1.0}


def cost_contributions(
    returns: npt.ArrayLike, costs: Mapping[str, npt.ArrayLike]
) -> dict[str, float]:
    """Split the compounded net return `(time,)` into `before_costs` and each of `costs`.

    costs : by name, `(time,)`, fractions of the equity at the start of the period; what was paid is
        negative, what was received positive. The parts sum to prod(1 + returns) - 1; periods are
        linked by Cariño's factors. NaN is a `DataError`.
    """
    net = np.asarray(returns, dtype=np.float64)
    paid = {name: np.asarray(values, dtype=np.float64) for name, values in costs.items()}
    for name, values in {"returns": net, **paid}.items():
        if values.ndim != 1 or values.shape != net.shape or np.isnan(values).any():
            raise DataError(
                f"{name} must be one number for each of {net.size} periods, found shape "
                f"{values.shape} with {np.isnan(values).sum()} NaN"
            )
    if BEFORE_COSTS in paid:
        raise DataError(f"a cost cannot be called {BEFORE_COSTS!r}: that is what is left")
    before = net - sum(paid.values(), start=np.zeros(net.size))
    parts = np.column_stack([before, *paid.values()])
    linked = link_effects(parts, net, np.zeros(net.size))
    return dict(zip([BEFORE_COSTS, *paid], linked.tolist(), strict=True))


def equity_contributions(equity: pd.DataFrame) -> pd.DataFrame:
    """`cost_contributions` of every entrant of an `Equity` frame.

    Index `entrant`; columns `before_costs`, `fees`, `slippage`, `funding` (and `borrow` where the
    frame has it) and `total_return`, their sum. Amounts are divided by the equity before the bar,
    equity / (1 + returns). Interest on cash stays in `before_costs`.
    """
    names = [name for name in COSTS if name in equity.columns]
    rows = {}
    for entrant, account in equity.groupby("entrant", sort=True):
        net = account["returns"].to_numpy(dtype=np.float64)
        before = account["equity"].to_numpy(dtype=np.float64) / (1.0 + net)
        paid = {
            name: COSTS[name] * account[name].to_numpy(dtype=np.float64) / before for name in names
        }
        parts = cost_contributions(net, paid)
        rows[entrant] = parts | {"total_return": float(np.expm1(np.log1p(net).sum()))}
    columns = [BEFORE_COSTS, *names, "total_return"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns, dtype="float64")
    return frame.rename_axis("entrant")
