"""Return samples that the optimizer tests share."""

import numpy as np


def market(n_rows: int, n_assets: int, *, scale: float = 0.01, seed: int = 7) -> np.ndarray:
    """Correlated returns of unequal volatility and positive mean, shape (n_rows, n_assets)."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n_rows, 1))
    volatility = rng.uniform(0.5, 2.0, n_assets)
    mean = rng.uniform(0.0, 0.1, n_assets)
    noise = 0.6 * common + volatility * rng.standard_normal((n_rows, n_assets))
    return scale * (noise - noise.mean(axis=0) + mean)


def with_covariance(covariance: np.ndarray, mean: np.ndarray | None = None) -> np.ndarray:
    """Four rows per asset whose sample covariance (ddof 1) and mean are exactly the given ones."""
    n_assets = len(covariance)
    n_rows = 4 * n_assets
    raw = np.random.default_rng(0).standard_normal((n_rows, n_assets))
    raw -= raw.mean(axis=0)
    whitened = np.linalg.solve(
        np.linalg.cholesky(np.cov(raw.T, ddof=1).reshape(n_assets, -1)), raw.T
    )
    returns = (np.linalg.cholesky(covariance) @ whitened).T
    return returns + (0.0 if mean is None else np.asarray(mean))
