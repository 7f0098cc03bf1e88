"""Returns of price arrays, simple and logarithmic: the first row is NaN, never 0."""

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError

Floats = npt.NDArray[np.float64]

__all__ = ["log_returns", "simple_returns"]


def simple_returns(prices: npt.ArrayLike) -> Floats:
    """`p[t] / p[t-1] - 1` of prices (time,) or (time, symbol), same shape, per period.

    NaN in the first row and wherever either price is missing (a gap costs two rows). A price that
    is 0, negative or infinite is a `DataError` with its place.
    """
    values = checked_prices(prices)
    returns = np.full(values.shape, np.nan)
    returns[1:] = values[1:] / values[:-1] - 1.0
    return returns


def log_returns(prices: npt.ArrayLike) -> Floats:
    """`log(p[t] / p[t-1])` of prices (time,) or (time, symbol), same shape, per period.

    The same missing values and errors as `simple_returns`. Moves below a half are computed as
    `log1p((p[t] - p[t-1]) / p[t-1])`, which keeps all their digits.
    """
    values = checked_prices(prices)
    returns = np.full(values.shape, np.nan)
    before, after = values[:-1], values[1:]
    moves = (after - before) / before
    large = np.abs(moves) > 0.5
    np.log1p(moves, out=returns[1:], where=~large)
    np.log(after / before, out=returns[1:], where=large)
    return returns


def checked_prices(prices: npt.ArrayLike) -> Floats:
    """`prices` as floats of shape (time,) or (time, symbol); NaN = missing."""
    values = np.asarray(prices, dtype=np.float64)
    if values.ndim not in {1, 2}:
        raise DataError(f"prices have shape {values.shape}: expected (time,) or (time, symbol)")
    wrong = (values <= 0.0) | (values == np.inf)
    if wrong.any():
        place = tuple(int(at) for at in np.argwhere(wrong)[0])
        raise DataError(
            f"prices[{', '.join(map(str, place))}] is {values[place]:g}: a return needs positive, "
            "finite prices; mark it as NaN or mend it"
        )
    return values
