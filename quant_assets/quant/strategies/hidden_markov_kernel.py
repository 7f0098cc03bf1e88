"""Two-state Gaussian hidden Markov chains: the forward filter and Baum-Welch, scaled.

Rabiner (1989), equations 19-20 (forward), 24-25 (backward), 53-54 (re-estimation), with the
scaling of his section V. A NaN observation says nothing about the state: its likelihood is 1.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
LEAST = 1e-300


@njit(cache=True)
def likelihoods(x: Floats, mean: Floats, deviation: Floats, out: Floats) -> None:
    """Gaussian densities `(row, state)` of observations `(row,)`, without the common factor."""
    for t in range(x.shape[0]):
        for k in range(2):
            if np.isnan(x[t]):
                out[t, k] = 1.0
            else:
                z = (x[t] - mean[k]) / deviation[k]
                out[t, k] = max(np.exp(-0.5 * z * z) / deviation[k], LEAST)


@njit(cache=True)
def filtered(density: Floats, stay: Floats, start: Floats, out: Floats) -> float:
    """Probabilities `(row, state)` given rows up to each; `start` is the state before row 0.

    stay : (state,), the chance to stay. Returns the log likelihood.
    """
    total = 0.0
    p0, p1 = start[0], start[1]
    for t in range(density.shape[0]):
        a0 = (p0 * stay[0] + p1 * (1.0 - stay[1])) * density[t, 0]
        a1 = (p0 * (1.0 - stay[0]) + p1 * stay[1]) * density[t, 1]
        scale = a0 + a1
        p0, p1 = a0 / scale, a1 / scale
        out[t, 0], out[t, 1] = p0, p1
        total += np.log(scale)
    return total


@njit(cache=True)
def fit(x: Floats, mean: Floats, deviation: Floats, stay: Floats, rounds: int) -> None:
    """Improve the parameters in place by at most `rounds` of Baum-Welch, over rows `(row,)`."""
    n = x.shape[0]
    density, forward = np.empty((n, 2)), np.empty((n, 2))
    start, floor = np.empty(2), 1e-3 * np.sqrt(np.nanvar(x))
    last = -np.inf
    for _ in range(rounds):
        # the chance to be in each state in the long run stands before the first row
        leave = (1.0 - stay[0]) + (1.0 - stay[1])
        start[0] = (1.0 - stay[1]) / leave
        start[1] = 1.0 - start[0]
        likelihoods(x, mean, deviation, density)
        total = filtered(density, stay, start, forward)
        if total - last < 1e-8 * abs(total):
            return
        last = total
        # backwards: b is the scaled beta of row t; gamma = forward * b, normalised
        weight, first, second = np.zeros(2), np.zeros(2), np.zeros(2)
        stayed, seen = np.zeros(2), np.zeros(2)
        b0, b1 = 1.0, 1.0
        for t in range(n - 1, -1, -1):
            g0, g1 = forward[t, 0] * b0, forward[t, 1] * b1
            gamma0 = g0 / (g0 + g1)
            gamma1 = 1.0 - gamma0
            if not np.isnan(x[t]):
                weight[0] += gamma0
                weight[1] += gamma1
                first[0] += gamma0 * x[t]
                first[1] += gamma1 * x[t]
                second[0] += gamma0 * x[t] * x[t]
                second[1] += gamma1 * x[t] * x[t]
            if t > 0:
                q0, q1 = density[t, 0] * b0, density[t, 1] * b1
                from0 = stay[0] * q0 + (1.0 - stay[0]) * q1
                from1 = (1.0 - stay[1]) * q0 + stay[1] * q1
                h0, h1 = forward[t - 1, 0], forward[t - 1, 1]
                both = h0 * from0 + h1 * from1
                stayed[0] += h0 * stay[0] * q0 / both
                stayed[1] += h1 * stay[1] * q1 / both
                seen[0] += h0 * from0 / both
                seen[1] += h1 * from1 / both
                scale = from0 + from1
                b0, b1 = from0 / scale, from1 / scale
        for k in range(2):
            if weight[k] > 1e-6 and seen[k] > 1e-6:
                mean[k] = first[k] / weight[k]
                spread = second[k] / weight[k] - mean[k] * mean[k]
                deviation[k] = max(np.sqrt(max(spread, 0.0)), floor)
                stay[k] = min(max(stayed[k] / seen[k], 1e-4), 1.0 - 1e-4)


def warm_up() -> None:
    """Compile the kernels for the types that production passes."""
    x, density = np.array([0.1, -0.2, 0.3, np.nan]), np.empty((4, 2))
    mean, deviation, stay = np.zeros(2), np.array([0.1, 0.2]), np.array([0.9, 0.9])
    likelihoods(x, mean, deviation, density)
    filtered(density, stay, np.array([0.5, 0.5]), np.empty((4, 2)))
    fit(x, mean, deviation, stay, 2)
