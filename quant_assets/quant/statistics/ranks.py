"""Ranks and rank correlations along one axis, NaN-aware and without loops."""

import numpy as np
import numpy.typing as npt

from quant_assets.quant.market.panel import Floats

MIN_PAIRS = 3


def average_ranks(values: npt.ArrayLike, axis: int = -1) -> Floats:
    """Ranks 1..n along `axis` among the values that are not NaN; ties get their average rank.

    Same shape as `values`; NaN stays NaN. Ranks are exact multiples of 0.5.
    """
    array = np.moveaxis(np.asarray(values, dtype=np.float64), axis, -1)
    if array.size == 0:
        return np.moveaxis(array.copy(), -1, axis)
    width = array.shape[-1]
    flat = array.reshape(-1, width)
    order = np.argsort(flat, axis=1, kind="stable")
    ordered = np.take_along_axis(flat, order, axis=1)
    first_of_tie = np.ones(flat.shape, dtype=bool)
    first_of_tie[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    starts = np.flatnonzero(first_of_tie)
    ends = np.append(starts[1:], flat.size)
    middles = (starts % width + (ends - 1) % width) / 2.0 + 1.0
    ranks = np.empty_like(flat)
    tied = np.repeat(middles, ends - starts).reshape(flat.shape)
    np.put_along_axis(ranks, order, tied, axis=1)
    ranks[np.isnan(flat)] = np.nan
    return np.moveaxis(ranks.reshape(array.shape), -1, axis)


def rank_percentiles(values: npt.ArrayLike, axis: int = -1) -> Floats:
    """Average ranks mapped into (0, 1): `(rank - 0.5) / n`, n = values that are not NaN.

    Same shape as `values`; NaN stays NaN. A lone value is at 0.5, and so are values that all tie.
    """
    ranks = average_ranks(values, axis)
    counts = np.sum(~np.isnan(ranks), axis=axis, keepdims=True)
    return np.asarray((ranks - 0.5) / np.maximum(counts, 1), dtype=np.float64)


def cross_sectional_ic(x: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
    """Spearman correlation of each row of `x` with the same row of `y`.

    x, y : shape (..., n), broadcast against each other. A pair with a NaN is dropped. Returns
    shape (...,); NaN where fewer than 3 pairs remain or one side is constant.
    """
    left, right = np.broadcast_arrays(
        np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    )
    missing = np.isnan(left) | np.isnan(right)
    counts = np.sum(~missing, axis=-1)
    a = _centred_ranks(left, missing, counts)
    b = _centred_ranks(right, missing, counts)
    scale = np.sum(a * a, axis=-1) * np.sum(b * b, axis=-1)
    valid = (counts >= MIN_PAIRS) & (scale > 0)
    ic = np.sum(a * b, axis=-1) / np.sqrt(np.where(valid, scale, 1.0))
    return np.asarray(np.where(valid, np.clip(ic, -1.0, 1.0), np.nan), dtype=np.float64)


def _centred_ranks(
    values: Floats, missing: npt.NDArray[np.bool_], counts: npt.NDArray[np.intp]
) -> Floats:
    """Ranks minus their mean (n + 1) / 2, which is exact, so that constants give exactly 0."""
    ranks = average_ranks(np.where(missing, np.nan, values))
    mean = (np.asarray(counts, dtype=np.float64)[..., None] + 1.0) / 2.0
    return np.asarray(np.where(missing, 0.0, ranks - mean), dtype=np.float64)


def spearman(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Rank information coefficient of two arrays of shape (n,): Spearman's rho.

    A pair with a NaN is dropped; NaN when fewer than 3 pairs remain or one side is constant.
    """
    return float(cross_sectional_ic(x, y))
