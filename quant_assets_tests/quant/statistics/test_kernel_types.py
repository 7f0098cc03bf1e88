"""`warm_up` compiles each kernel for the very types that the library passes: none is added."""

from types import ModuleType

import numpy as np

from quant_assets.quant.model_selection import overfitting_kernel
from quant_assets.quant.model_selection.overfitting import probability_of_backtest_overfitting
from quant_assets.quant.statistics import bootstrap_kernel, event_kernel
from quant_assets.quant.statistics.bootstrap import (
    Resampling,
    bootstrap_means,
    bootstrap_p_values,
    stationary_bootstrap,
)
from quant_assets.quant.statistics.event_effects import (
    OutcomeWindows,
    ScanEvents,
    ScanPanel,
    event_effect,
    scan_events,
)
from quant_assets.quant.statistics.monte_carlo import path_figures


def _compiled(module: ModuleType) -> dict[str, int]:
    kernels = {name: k for name, k in vars(module).items() if hasattr(k, "signatures")}
    return {name: len(kernel.signatures) for name, kernel in kernels.items()}


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def test_event_kernels_are_compiled_by_warm_up():
    event_kernel.warm_up()
    before = _compiled(event_kernel)
    bars = _frozen(np.arange(40))
    for prices in (np.zeros((40, 2)), _frozen(np.zeros((40, 2), order="F"))):
        panel = ScanPanel(prices, np.zeros((40, 2), dtype=np.int8), bars // 5, [0, 0])
        scan_events(panel, ScanEvents(bars % 2, bars % 3, bars), OutcomeWindows([1, 2], 3))
    event_effect(_frozen(np.ones(40)), bars, bars // 5, horizon_bars=2)
    assert _compiled(event_kernel) == before


def test_bootstrap_kernels_are_compiled_by_warm_up():
    bootstrap_kernel.warm_up()
    before = _compiled(bootstrap_kernel)
    rng = np.random.default_rng(0)
    for x in (rng.normal(size=40), _frozen(rng.normal(size=(40, 2)).T.copy().T)):
        bootstrap_means(x, Resampling(3, 5), rng)
        bootstrap_means(x, Resampling(3, 5, "circular"), rng)
    stationary_bootstrap(9, mean_block=2, n_draws=3, rng=rng)
    bootstrap_p_values(_frozen(np.ones(9)), [4, 5], n_draws=3, rng=rng)
    path_figures(_frozen(np.linspace(-0.1, 0.1, 9)), Resampling(3, 5), rng)
    assert _compiled(bootstrap_kernel) == before


def test_overfitting_kernels_are_compiled_by_warm_up():
    overfitting_kernel.warm_up()
    before = _compiled(overfitting_kernel)
    returns = np.random.default_rng(0).normal(size=(40, 3))
    for table in (returns, _frozen(np.asfortranarray(returns)), returns[::-1]):
        probability_of_backtest_overfitting(table, 4)
    assert _compiled(overfitting_kernel) == before
