"""How a strategy bears other costs, sizes, luck, unseen months, and being another strategy."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from quant_assets.cli.strategies.evidence import SEED, resampled
from quant_assets.cli.strategies.searching import known, workers_of
from quant_assets.cli.strategies.telling import telling
from quant_assets.core.errors import ConfigError

if TYPE_CHECKING:
    from quant_assets.cli.strategies.running import Choice, Prepared, StrategyRun
    from quant_assets.core.config import Settings
    from quant_assets.core.executor import Executor
    from quant_assets.quant.simulation.execution.results import BacktestResult
    from quant_assets.quant.tuning.study import Progress
    from quant_assets.quant.tuning.vault import HoldOutVault

FEES, SLIPPAGES, DELAYS = (0.0, 1.0, 2.0, 4.0, 8.0), (0.0, 1.0, 2.0, 4.0), (0, 1)
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Told:
    """An executor that tells how many items are done."""

    executor: "Executor"
    progress: "Progress"

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """As the executor does."""
        listed = list(items)
        for done, found in enumerate(self.executor.map(function, listed), 1):
            self.progress(done, len(listed))
            yield found


def costs(
    made: "Prepared",
    *,
    fees: Sequence[float],
    slippages: Sequence[float],
    delays: Sequence[int],
    workers: int,
) -> pd.DataFrame:
    """The run at every combination of costs and delays, see `CostSurface.frame`."""
    from quant_assets.quant.tuning.costs import cost_surface

    with telling("runs") as progress, workers_of(workers) as executor:
        found = cost_surface(
            made.target.strategy,
            made.found.panel,
            made.model,
            fees=fees,
            slippages=slippages,
            delays=delays,
            initial_capital=made.capital,
            executor=Told(executor, progress),
            **made.found.inputs,
        )
    return found.frame


def default_surface(made: "Prepared") -> pd.DataFrame:
    """`costs` at the factors that the command takes when none are given."""
    return costs(made, fees=FEES, slippages=SLIPPAGES, delays=DELAYS, workers=1)


def survival_note(surface: pd.DataFrame) -> str:
    """How many times its costs the strategy bears, in words."""
    from quant_assets.quant.tuning.costs import CostSurface

    rows = CostSurface(surface).break_even()
    row = rows[(rows["slippage"] == 1.0) & (rows["delay"] == rows["delay"].min())]
    if row.empty:
        row = rows.head(1)
    first = row.iloc[0]
    at = f"with {first['slippage']:g} times its slippage"
    if first["fails"]:
        return f"It earns nothing at the smallest fees that were tried already, {at}."
    if first["survives"]:
        most = surface["fee"].max()
        return f"It still earns at {most:g} times its fees, the most that was tried, {at}."
    return f"It earns nothing any more at {first['fee']:.2f} times its fees, {at}."


def borne(
    made: "Prepared", *, smallest: float, largest: float, share: float
) -> tuple[pd.DataFrame, str]:
    """Runs by capital, and how much capital the strategy bears in words."""
    from quant_assets.quant.tuning.costs import capacity

    found = capacity(
        made.target.strategy,
        made.found.panel,
        made.model,
        smallest=smallest,
        largest=largest,
        share=share,
        **made.found.inputs,
    )
    unit = f" {made.found.currency}".rstrip()
    if not np.isfinite(found.capital):
        return found.frame, (
            f"At {largest:,.0f}{unit}, the most that was tried, more than {share:.0%} of the "
            f"Sharpe ratio of {found.sharpe:.2f} is left. Slippage by size makes capacity "
            "finite: the execution needs sqrt_volume or volume_share, as --execution pessimistic "
            "has it, and bars with volume."
        )
    return found.frame, (
        f"Capacity: {found.capital:,.0f}{unit}; there {share:.0%} is left of the Sharpe ratio of "
        f"{found.sharpe:.2f} that the strategy has with {smallest:,.0f}."
    )


def monte_carlo(
    made: "Prepared",
    result: "BacktestResult",
    *,
    n_paths: int,
    noisy_runs: int,
    scale: float,
    workers: int,
) -> dict[str, Any]:
    """Fields of the report: `resampled`, and runs again on prices with noise."""
    if noisy_runs and made.found.detail is not None:
        raise ConfigError(
            "--noisy-runs moves the prices of the bars, and not those of the finer bars inside of "
            f"them, which {made.model.fills.name} follows: leave it out, or take another fill "
            "model, as --execution default"
        )
    found = resampled(result, n_paths)
    if not noisy_runs:
        return found
    from quant_assets.quant.tuning.resampling import price_noise

    with telling("noisy runs") as progress, workers_of(workers) as executor:
        noisy = price_noise(
            made.target.strategy,
            made.found.panel,
            made.model,
            scale=scale,
            n_paths=noisy_runs,
            seed=SEED,
            executor=Told(executor, progress),
            initial_capital=made.capital,
            **made.found.inputs,
        )
    table = noisy.bands(0.9).reset_index().assign(kind=noisy.kind)
    tables = pd.concat([found["monte_carlo"], table], ignore_index=True)
    note = (
        f" Price noise: {noisy_runs:,} runs on prices that were moved by {scale:g} of a bar's "
        "volatility."
    )
    return found | {"monte_carlo": tables, "bands_note": found["bands_note"] + note}


def compared(made: "Prepared", other: "Prepared") -> pd.DataFrame:
    """What each part does that differs, as `made` becomes `other`."""
    from quant_assets.quant.tuning.differences import RunSpec, compare_runs

    def spec(one: "Prepared") -> RunSpec:
        return RunSpec(
            strategy=one.target.strategy,
            bars=one.found.panel,
            execution=one.model,
            initial_capital=one.capital,
            arguments=one.found.inputs,
        )

    return compare_runs(spec(made), spec(other))


def looks(vault: "HoldOutVault") -> list[dict[str, Any]]:
    """Every look into a vault so far."""
    return [{"look": number, **one._asdict()} for number, one in enumerate(vault.openings, 1)]


@dataclass(frozen=True)
class Look:
    """A look into a vault: the run over all bars, its figures before and inside, and what counts.

    level : significance that the look must reach. luck : probability that luck alone gives such a
    Sharpe ratio inside (the probabilistic Sharpe ratio's complement).
    """

    run: "StrategyRun"
    parts: pd.DataFrame
    n_looks: int
    level: float
    luck: float

    @property
    def note(self) -> str:
        """What the look says, in words."""
        said = "passes" if self.luck <= self.level else "does not pass"
        return (
            f"Look number {self.n_looks} at these months. Luck alone gives such a Sharpe ratio "
            f"with probability {known(self.luck, '{:.3f}')}; after so many looks it may be at most "
            f"{self.level:.4f}: the strategy {said}."
        )


def look(choice: "Choice", settings: "Settings", months: int, reason: str) -> Look:
    """Open the vault, which is counted first, and run the strategy on all bars."""
    from dataclasses import replace

    from quant_assets.cli.strategies.running import prepare, sealed
    from quant_assets.quant.analytics.metrics import max_drawdown, sharpe_ratio
    from quant_assets.quant.statistics.sharpe_inference import probabilistic_sharpe_ratio

    made = prepare(replace(choice, hold_out=0), settings)
    _, vault = sealed(made.found, settings, months)
    opened = vault.open(strategy=made.target.strategy_hash, reason=reason)
    run = made.run()
    equity, trades = run.result.equity, run.result.trades
    sealed_from = opened.first - run.result.first_bar
    cut = equity.index[sealed_from]
    rows = []
    for part, inside in (("before", equity.index < cut), ("sealed", equity.index >= cut)):
        mine = equity[inside]
        returns = mine["returns"].to_numpy(dtype=np.float64)
        ended = trades["exit_ts"].dropna()
        n_trades = int(((ended >= cut) == (part == "sealed")).sum())
        rows.append(
            {
                "part": part,
                "first": mine.index[0],
                "last": mine.index[-1],
                "n_bars": len(mine),
                "total_return": float(np.prod(1.0 + returns) - 1.0),
                "sharpe": float(sharpe_ratio(returns, run.result.periods_per_year)),
                "max_drawdown": float(max_drawdown(returns)),
                "n_trades": n_trades,
            }
        )
    sealed_returns = equity["returns"].to_numpy(dtype=np.float64)[sealed_from:]
    luck = 1.0 - float(probabilistic_sharpe_ratio(sealed_returns, benchmark_sharpe=0.0))
    return Look(run, pd.DataFrame(rows), opened.n_looks, opened.level(), luck)
