"""Rank information coefficient over several horizons, and what each quantile of a signal earned."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import DataError
from quant_assets.quant.market.panel import Floats
from quant_assets.quant.statistics.ranks import MIN_PAIRS, cross_sectional_ic, sorted_blocks

__all__ = ["RankDecay", "rank_ic", "rank_ic_decay"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RankDecay:
    """Per horizon and row: rank correlation with the return that follows, and quantile returns.

    ic : (horizon, time), NaN where fewer than 3 symbols have signal and return, where one of them
        does not vary, and in the last rows, whose return lies ahead.
    quantile_returns : (horizon, time, quantile), mean simple return over the horizon of the symbols
        in each quantile of the signal, the lowest first; NaN for an empty one.
    quantile_counts : (horizon, time, quantile), the symbols in it.
    """

    horizons: tuple[int, ...]
    ic: Floats
    quantile_returns: Floats
    quantile_counts: Integers

    @property
    def mean_ic(self) -> Floats:
        """Mean over the rows that have one, (horizon,); NaN without any."""
        known = ~np.isnan(self.ic)
        total = np.where(known, self.ic, 0.0).sum(axis=1)
        return _ratio(total, known.sum(axis=1))

    @property
    def pooled_quantile_returns(self) -> Floats:
        """Mean over all symbol-rows of a quantile, (horizon, quantile); NaN for an empty one."""
        sums = np.where(self.quantile_counts > 0, self.quantile_returns, 0.0) * self.quantile_counts
        return _ratio(sums.sum(axis=1), self.quantile_counts.sum(axis=1))

    @property
    def spread(self) -> Floats:
        """Highest minus lowest quantile of each row, (horizon, time)."""
        return np.asarray(self.quantile_returns[:, :, -1] - self.quantile_returns[:, :, 0])


def rank_ic(signal: npt.ArrayLike, returns: npt.ArrayLike) -> Floats:
    """Spearman correlation of `signal` with the `returns` that follow it, one for each row.

    signal, returns : (time, symbol), the return of a row being the one earned after it. A symbol
    without one of them is left out. NaN with fewer than 3 symbols, or where one side is constant.
    """
    return cross_sectional_ic(signal, returns)


def rank_ic_decay(
    signal: npt.ArrayLike, close: npt.ArrayLike, horizons: Sequence[int], *, n_quantiles: int = 5
) -> RankDecay:
    """Rank IC of `signal` with the return of the next `h` rows, for each `h` of `horizons`.

    signal, close : (time, symbol). The return of row t is `close[t + h] / close[t] - 1`; symbols
    whose signal or return is unknown or infinite in a row are left out of it. A symbol is in
    quantile `floor((rank - 1) n_quantiles / n)`, with average ranks among the n symbols of the row.
    Source: Grinold & Kahn (2000), "Active Portfolio Management", chapter 6 (information
    coefficient), on ranks.
    """
    from quant_assets.quant.statistics.ranks_kernel import forward_returns, score_rows

    scores, prices = _matrix(signal, "signal"), _matrix(close, "close")
    if scores.shape != prices.shape:
        raise DataError(f"signal has shape {scores.shape}, close {prices.shape}: they must be one")
    if not horizons or min(horizons) < 1 or n_quantiles < 1:
        raise DataError(
            f"horizons {tuple(horizons)} and n_quantiles {n_quantiles}: give at least one horizon, "
            "each of one row or more, and at least one quantile"
        )
    scores = np.where(np.isinf(scores), np.nan, scores)
    n_horizons, (n_times, _) = len(horizons), scores.shape
    ic = np.full((n_horizons, n_times), np.nan)
    means = np.full((n_horizons, n_times, n_quantiles), np.nan)
    counts = np.zeros((n_horizons, n_times, n_quantiles), dtype=np.int64)
    for rows, bits, left in sorted_blocks(scores):
        for at, horizon in enumerate(horizons):
            ahead = np.empty_like(left[0])
            forward_returns(prices, rows.start, horizon, ahead)
            out = (ic[at, rows], means[at, rows], counts[at, rows])
            for _, _, right in sorted_blocks(ahead):
                score_rows(left, right, bits, MIN_PAIRS, out)
    return RankDecay(tuple(horizons), ic, means, counts)


def _matrix(values: npt.ArrayLike, what: str) -> Floats:
    array = np.ascontiguousarray(np.asarray(values, dtype=np.float64))
    if array.ndim != 2:
        raise DataError(f"{what} has {array.ndim} axes, expected (time, symbol)")
    return array


def _ratio(sums: Floats, counts: npt.NDArray[np.integer]) -> Floats:
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))
