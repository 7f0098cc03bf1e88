"""Optimizers that reduce to another one's problem."""

from quant_assets.quant.optimization.base import Optimizer, Solution


def answer_of(fitted: Optimizer, *, objective: float) -> Solution:
    """Solution that `fitted` found, with the objective of the problem that was reduced to it."""
    report = fitted.solver_report_
    return Solution(
        fitted.weights_,
        report.solver,
        objective=objective,
        iterations=report.iterations,
        fallback=report.fallback,
        gap=report.gap,
    )
