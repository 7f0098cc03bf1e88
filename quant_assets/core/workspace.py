"""A pool of numpy buffers for large temporaries, off unless somebody asks for it.

    with NumericalWorkspace():
        for window in windows:
            covariance_matrix(window, estimator="ledoit_wolf_constant_correlation")

Without one every step of a formula makes an array of its own, as numpy does. Inside the block the
functions that know of the workspace write their steps into buffers of the pool, overwrite what is
no longer needed, and use the same buffers for the next window. Results are equal bit for bit, and
never lie in the pool. A function that takes part:

    with scratch() as space:
        gaps = np.subtract(x, y, out=space.array(*x.shape))  # None without a workspace
        gaps = np.abs(gaps, out=space.over(gaps))            # in place, or None
        return float(gaps.sum())                             # its buffers go back here

Threads: a workspace belongs to the thread that entered it. Others, those started inside the block
included, work as without one; entering it twice at a time is a `ConfigError`. Memory is held until
the block ends.
"""

import math
import threading
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from quant_assets.core.errors import ConfigError

Bytes = npt.NDArray[np.uint8]
Array = TypeVar("Array", bound=npt.NDArray[Any])
LEAST_BYTES = 1 << 16
LOOSE = 2  # a buffer may be so many times larger than what is asked for

__all__ = ["NumericalWorkspace", "Scratch", "scratch"]


class NumericalWorkspace:
    """Buffers that the numerical functions called inside its `with` block share, one by one.

    least_bytes : smaller arrays are left to numpy, which keeps such memory at hand by itself.
    """

    def __init__(self, *, least_bytes: int = LEAST_BYTES) -> None:
        if least_bytes < 1:
            raise ConfigError(f"least_bytes {least_bytes} must be >= 1")
        self.least_bytes = least_bytes
        self._free: list[Bytes] = []
        self._bytes = 0
        self._owner: int | None = None
        self._token: Token[NumericalWorkspace | None] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of all buffers, those in use included; 0 outside the block."""
        return self._bytes

    def __enter__(self) -> Self:
        """Start to be used by this thread."""
        if self._owner is not None:
            raise ConfigError(
                "this NumericalWorkspace is already in use: a workspace serves one thread and one "
                "`with` block at a time; make another one"
            )
        self._owner = threading.get_ident()
        self._token = _ACTIVE.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the memory back."""
        if self._token is not None:
            _ACTIVE.reset(self._token)
        self._owner = self._token = None
        self._free.clear()
        self._bytes = 0

    def take(self, n_bytes: int) -> Bytes:
        """Buffer of at least `n_bytes`: the smallest free one that is not twice as large, or new.

        A new one takes the place of a free one that is somewhat too small, so that spans that grow
        window by window do not leave a trail of buffers.
        """
        fitting = [at for at, it in enumerate(self._free) if 0 <= it.nbytes - n_bytes <= n_bytes]
        if fitting:
            return self._free.pop(min(fitting, key=lambda at: self._free[at].nbytes))
        short = [at for at, it in enumerate(self._free) if it.nbytes < n_bytes <= LOOSE * it.nbytes]
        if short:
            self._bytes -= self._free.pop(short[0]).nbytes
        self._bytes += n_bytes
        return np.empty(n_bytes, dtype=np.uint8)

    def give_back(self, buffer: Bytes) -> None:
        """Make a buffer free for the next one who asks."""
        self._free.append(buffer)

    def serves_this_thread(self) -> bool:
        """Whether the caller runs in the thread that entered the block."""
        return self._owner == threading.get_ident()


_ACTIVE: ContextVar[NumericalWorkspace | None] = ContextVar("numerical_workspace", default=None)


class Scratch:
    """The buffers that one function holds; without a workspace it has none and gives None."""

    def __init__(self, workspace: NumericalWorkspace | None) -> None:
        self._workspace = workspace
        self._held: dict[int, tuple[npt.NDArray[Any], Bytes]] = {}

    def __enter__(self) -> Self:
        """Hold nothing yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give back what is still held; the arrays must not be used any more."""
        self.free(*[array for array, _ in self._held.values()])

    def array(self, *shape: int) -> npt.NDArray[np.float64] | None:
        """Uninitialised float64 array in C order for numpy's `out`; None leaves it to numpy."""
        n_bytes = 8 * math.prod(shape)
        if self._workspace is None or n_bytes < self._workspace.least_bytes:
            return None
        buffer = self._workspace.take(n_bytes)
        array: npt.NDArray[np.float64] = buffer[:n_bytes].view(np.float64).reshape(shape)
        self._held[id(array)] = array, buffer
        return array

    def over(self, array: Array) -> Array | None:
        """`array` itself, to be overwritten, where there is a workspace; None otherwise."""
        return None if self._workspace is None else array

    def free(self, *arrays: npt.NDArray[Any]) -> None:
        """Let others use the memory of these arrays; those that are not held are ignored."""
        for array in arrays:
            held = self._held.get(id(array))
            if held is not None and self._workspace is not None:
                del self._held[id(array)]
                self._workspace.give_back(held[1])


def scratch() -> Scratch:
    """Buffers for one function, of the workspace whose block this thread is in, if any."""
    active = _ACTIVE.get()
    return Scratch(active if active is not None and active.serves_this_thread() else None)
