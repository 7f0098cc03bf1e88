"""Benchmark and risk-free returns on the bars of an account."""

import numpy as np
import pandas as pd

from quant_assets.core.errors import DataError
from quant_assets.quant.market.panel import Floats


def reference_on(reference_returns: pd.DataFrame, role: str, ts: pd.DatetimeIndex) -> Floats | None:
    """Align the returns of `role` to `ts`: NaN where a row is missing, None without any row."""
    rows = reference_returns[(reference_returns["role"] == role).to_numpy()]
    if rows.empty:
        return None
    at = pd.DatetimeIndex(rows["ts"]).get_indexer(ts)
    values: Floats = np.r_[rows["returns"].to_numpy(dtype=np.float64), np.nan][at]
    return values


def require_complete(values: Floats, role: str, ts: pd.DatetimeIndex) -> Floats:
    """Return `values`; a `DataError` names role, count and first `ts` when some are missing."""
    missing = np.flatnonzero(np.isnan(values))
    if len(missing):
        raise DataError(
            f"the {role} series lacks {len(missing)} of {len(values)} bars, the first is "
            f"{ts[missing[0]]}; deliver them in reference_returns (assumed values are marked there)"
        )
    return values
