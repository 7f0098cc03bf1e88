"""Numerical solvers that optimizers share: own fast paths, and cvxpy behind them."""
