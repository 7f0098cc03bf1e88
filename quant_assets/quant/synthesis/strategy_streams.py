"""Streams of strategies: what each holds in the candidates at the decision, by its own record.

A strategy's stance (its side times its confidence, `StrategyStances`) is an opinion like any other
score. The stream `<symbol>:<side>:<strategy>` stands beside the plain one of the symbol: it is held
through the window, so that its return is `side x return` as well, and what differs is its `alpha`.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.context import StreamsContext
from quant_assets.core.telemetry import Telemetry
from quant_assets.quant.statistics.per_period import sharpe
from quant_assets.quant.statistics.sharpe_inference import probabilistic_sharpe_ratio
from quant_assets.quant.synthesis.history import refuse_future

Floats = npt.NDArray[np.float64]
STANCES = "_stances"
SIDES = {1: "long", -1: "short"}
MIN_ROWS = 60


def trust(returns: Floats, market: Floats) -> float:
    """How far a strategy's net returns (time,) prove more than the market's do, in [0, 1].

    `max(0, 2 PSR - 1)`, PSR being the probability that the true Sharpe ratio exceeds that of
    `market` (time,), or 0 if that is negative (Bailey & Lopez de Prado 2012). 0 with fewer than 60
    rows.
    """
    if len(returns) < MIN_ROWS or not returns.any():
        return 0.0
    hurdle = max(0.0, float(sharpe(market))) if market.any() else 0.0
    probability = float(probabilistic_sharpe_ratio(returns, benchmark_sharpe=hurdle))
    return max(0.0, 2.0 * probability - 1.0)


def strategy_streams(
    context: StreamsContext,
    telemetry: Telemetry,
    clusters: pd.DataFrame,
    strategies: dict[str, pd.DataFrame],
) -> Iterator[pd.DataFrame]:
    """`AlphaStreams` rows of every strategy that holds a candidate, unsorted.

    clusters : `symbol` and `cluster` of the scored candidates. strategies : `<strategy>_stances` of
    the window before, `<strategy>_equity` (of one on longer bars `<strategy>_marks`) and
    `returns_matrix` of the training windows. A symbol's newest known stance counts. `alpha` is its
    size times the strategy's `trust`, the market being the candidates in equal parts;
    `expected_return` is `alpha` times `annual_alpha`. Sides are those of the venue.
    """
    for asset, frame in sorted(strategies.items()):
        refuse_future(frame, context.decided_at, name=asset)
    names = [key.removesuffix(STANCES) for key in sorted(strategies) if key.endswith(STANCES)]
    for name in names:
        marks = f"{name}_marks"
        account = marks if marks in strategies else f"{name}_equity"
        worth = trust(*_side_by_side(strategies, account, clusters["symbol"]))
        held = _held(context, strategies[f"{name}{STANCES}"], clusters)
        telemetry.log_metrics(
            f"alpha_streams/{name}", {"streams": float(len(held)), "trust": worth}
        )
        if len(held):
            yield _rows(context, name, held, worth)


def _side_by_side(
    strategies: dict[str, pd.DataFrame], account: str, candidates: pd.Series
) -> tuple[Floats, Floats]:
    """Returns (time,) of a strategy and of the candidates in equal parts, on the rows of both."""
    equity, matrix = strategies[account], strategies["returns_matrix"]
    rows = matrix[matrix["symbol"].isin(candidates)]
    beside = pd.DataFrame(
        {
            "own": equity.set_index("ts")["returns"],
            "market": rows.groupby("ts")["returns"].mean(),
        }
    ).dropna()
    own, market = (beside[name].to_numpy(dtype=np.float64) for name in ("own", "market"))
    return own, market


def _held(context: StreamsContext, stances: pd.DataFrame, clusters: pd.DataFrame) -> pd.DataFrame:
    """Candidates with a stance on a side that the venue has: symbol, cluster, stance."""
    newest = stances.drop_duplicates("symbol", keep="last")
    held = clusters.merge(newest[["symbol", "stance"]], on="symbol", how="inner")
    offered = np.sign(held["stance"]).map(SIDES).isin(context.synthesis.sides)
    chosen: pd.DataFrame = held[offered.to_numpy()].reset_index(drop=True)
    return chosen


def _rows(context: StreamsContext, strategy: str, held: pd.DataFrame, worth: float) -> pd.DataFrame:
    side = np.sign(held["stance"]).astype("int64")
    alpha = held["stance"].abs() * worth
    decided = pd.Series(pd.Timestamp(context.decided_at), index=held.index)
    return pd.DataFrame(
        {
            "decided_at": decided.astype("datetime64[us, UTC]"),
            "stream": held["symbol"] + ":" + side.map(SIDES).astype("str") + f":{strategy}",
            "symbol": held["symbol"],
            "side": side,
            "cluster": held["cluster"],
            "alpha": alpha,
            "expected_return": alpha * context.alpha.annual_alpha,
        }
    )
