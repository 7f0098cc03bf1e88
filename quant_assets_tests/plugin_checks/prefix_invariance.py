"""The look-ahead check for anything that maps time-major arrays to a time-major array.

Row t of a causal function depends on rows 0..t alone. So every row before a cut must come out bit
for bit the same when the rows from the cut on are taken away, replaced by noise, or made NaN.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from quant_assets.core.errors import LookAheadError

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
    arrays : the complete data; left untouched. Float arrays get another future, others only a
    truncated one. relative : tolerance, 0 = the same bits.
    """
    whole = np.asarray(compute({name: array.copy() for name, array in arrays.items()}))
    generator = np.random.default_rng(seed)
    for cut in cuts:
        for kind, changed in _futures(arrays, cut, generator).items():
            result = np.asarray(compute(changed))[:cut]
            _compare(whole[:cut], result, what=f"{kind} from row {cut}", relative=relative)


def _futures(
    arrays: Mapping[str, np.ndarray], cut: int, generator: np.random.Generator
) -> dict[str, Arrays]:
    n_times = len(next(iter(arrays.values())))
    factors = np.exp(generator.normal(0.0, 0.5, n_times - cut))
    order = generator.permutation(np.arange(cut, n_times))

    def noise(array: np.ndarray) -> np.ndarray:
        other = array.copy()
        other[cut:] = array[order] * factors.reshape(-1, *[1] * (array.ndim - 1))
        return other

    def nothing(array: np.ndarray) -> np.ndarray:
        other = array.copy()
        other[cut:] = np.nan
        return other

    floats = {name for name, array in arrays.items() if array.dtype.kind == "f"}
    return {
        "truncated": {name: array[:cut].copy() for name, array in arrays.items()},
        "noise": {n: noise(a) if n in floats else a.copy() for n, a in arrays.items()},
        "missing": {n: nothing(a) if n in floats else a.copy() for n, a in arrays.items()},
    }


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
