"""Statistics of arrays: ranks, per-period moments, closed-form regressions. Numpy only."""
