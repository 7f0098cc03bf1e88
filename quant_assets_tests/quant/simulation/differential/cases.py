"""What is traded beside the peers: average crosses on prices that two of them bundle.

Imports nothing of this project: the recorder runs where only the peers are installed.
"""

import numpy as np

SYMBOLS = ("AAPL", "BAC", "XOM")
FAST, SLOW, UNITS, FEE, SLIPPAGE, CASH = 20, 50, 10.0, 5e-4, 2e-4, 10_000.0


def closes():
    """Adjusted closes `(day, symbol)` of 1990 to 2022, and their days."""
    from skfolio.datasets import load_sp500_dataset

    frame = load_sp500_dataset()[list(SYMBOLS)]
    return frame.to_numpy(dtype=np.float64), frame.index.to_numpy().astype("datetime64[us]")


def average(x, n):
    """Mean of the last n rows, NaN before."""
    sums = np.vstack([np.zeros((1, x.shape[1])), np.cumsum(x, axis=0)])
    mean = np.full(x.shape, np.nan)
    mean[n - 1 :] = (sums[n:] - sums[:-n]) / n
    return mean


def crosses(x):
    """Where the fast average crosses above and below the slow one."""
    difference = average(x, FAST) - average(x, SLOW)
    before = np.vstack([np.full((1, x.shape[1]), np.nan), difference[:-1]])
    return (before <= 0.0) & (difference > 0.0), (before >= 0.0) & (difference < 0.0)


def shifted(flags):
    """A row later."""
    return np.vstack([np.zeros((1, flags.shape[1]), dtype=bool), flags[:-1]])


# protective exits: symbol of the bars -> units that the cash can pay, stop, target
STOPPED = {"GOOG": (10.0, 0.05, 0.08), "EURUSD": (3_000.0, 0.0075, 0.012)}
EXITS = {"stop": (True, False), "target": (False, True), "both": (True, True)}


def real_bars_of(symbol):
    """Open, high, low and close `(bar,)` of real bars that backtesting.py bundles."""
    import backtesting.test

    frame = getattr(backtesting.test, symbol)
    return {k: frame[k.capitalize()].to_numpy(np.float64) for k in ("open", "high", "low", "close")}
