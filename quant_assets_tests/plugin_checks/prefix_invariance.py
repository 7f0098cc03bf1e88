"""The look-ahead check for anything that maps time-major arrays to a time-major array.

Row t of a causal function depends on rows 0..t alone. So every row before a cut must come out bit
for bit the same when the rows from the cut on are taken away, replaced by noise, or made NaN. The
futures are those of `quant_assets.quant.leaks`; here cuts are given, and nothing is explained.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from quant_assets.core.errors import LookAheadError
from quant_assets.quant.leaks.futures import Futures, Probe
from quant_assets.quant.leaks.samples import sample_of

Arrays = dict[str, np.ndarray]
Compute = Callable[[Arrays], np.ndarray]


def assert_prefix_invariant(
    compute: Compute,
    arrays: Mapping[str, np.ndarray],
    *,
    cuts: Iterable[int],
    seed: int = 0,
    relative: float = 0.0,
) -> None:
    """Raise `LookAheadError` when a row before a cut depends on rows from the cut on.

    compute : maps a dict of arrays that share axis 0 (time) to one array with that axis.
    arrays : the complete data; left untouched. relative : tolerance, 0 = the same bits.
    """
    whole = np.asarray(compute({name: array.copy() for name, array in arrays.items()}))
    futures = Futures(sample_of(arrays), np.random.default_rng(seed))
    n_times = len(next(iter(arrays.values())))
    for cut in cuts:
        for kind in ("truncated", "noise", "missing"):
            tail = 0 if kind == "truncated" else n_times - cut
            changed = futures.changed(Probe(kind, cut - 1, tail, newcomers=True))
            result = compute({name: array.copy() for name, array in changed.arrays.items()})
            what = f"{kind} from row {cut}"
            _compare(whole[:cut], np.asarray(result)[:cut], what=what, relative=relative)


def _compare(expected: np.ndarray, found: np.ndarray, *, what: str, relative: float) -> None:
    if expected.shape != found.shape:
        raise LookAheadError(f"{what}: shape {found.shape}, expected {expected.shape}")
    same = np.isclose(found, expected, rtol=relative, atol=0.0, equal_nan=True)
    if not same.all():
        row = int(np.argwhere(~same)[0][0])
        raise LookAheadError(
            f"{what}: {int((~same).sum())} earlier values changed, the first in row {row}: "
            f"{expected[row].tolist()} became {found[row].tolist()}. The function reads the future."
        )
