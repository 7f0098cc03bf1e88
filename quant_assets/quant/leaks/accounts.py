"""The leak check of simulated accounts: fills and equity do not depend on bars that follow them."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from quant_assets.core.context import SimulationContext
from quant_assets.core.errors import QuantAssetsError
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.leaks.cells import CellVerdict, with_noise
from quant_assets.quant.leaks.parts import by_rows, changed_values
from quant_assets.quant.simulation.engine import simulate_window

ACCOUNTS = ("equity", "fills")
CAUSE = "an account knows bars that came later"


@dataclass(frozen=True)
class Account:
    """What a window's accounts were made of, and what came of them.

    weights : the decision; held : what was carried into the window; bars, funding : the window's
    rows; made : the stored `equity` and `fills`.
    """

    context: SimulationContext
    weights: pd.DataFrame
    held: pd.DataFrame
    bars: pd.DataFrame
    funding: pd.DataFrame
    made: Mapping[str, pd.DataFrame]


def examine_accounts(account: Account) -> list[CellVerdict]:
    """One verdict per entrant of the decision, on its equity and on its fills.

    The window is executed again on bars that end in its middle, and on bars that are noise after
    the first one: half a run and one. What it gave up to there must be what is stored, to the last
    bit.
    """
    moments = account.bars["ts"].drop_duplicates().reset_index(drop=True)
    if not len(moments) or not len(account.made["equity"]):
        return []
    changed: dict[tuple[str, str], list[str]] = {}
    failed: list[str] = []
    for probe, cut, bars, funding in _futures(account, moments):
        try:
            found = _executed(account, bars, funding, cut)
        except QuantAssetsError as error:  # of noise that no account survives
            failed.append(f"{probe}: {str(error).splitlines()[0]}")
            continue
        for key, text in _differing(account, found, cut):
            changed.setdefault(key, []).append(f"{probe} after {cut:%Y-%m-%d %H:%M}: {text}")
    return [*_verdicts(account, changed, failed)]


def _futures(
    account: Account, moments: pd.Series
) -> Iterator[tuple[str, pd.Timestamp, pd.DataFrame, pd.DataFrame]]:
    """Probe, last bar that stays, bars, funding: the end is missing, or noise follows."""
    bars, funding = account.bars, account.funding
    middle, first = moments.iloc[len(moments) // 2], moments.iloc[0]
    short = bars[bars["ts"] <= middle].reset_index(drop=True)
    paid = funding[funding["ts"] <= middle].reset_index(drop=True)
    yield "truncated", middle, short, paid
    noisy = with_noise(bars, bars["ts"] > first, np.random.default_rng(0))
    yield "noise", first, noisy, funding


def _executed(
    account: Account, bars: pd.DataFrame, funding: pd.DataFrame, cut: pd.Timestamp
) -> dict[str, pd.DataFrame]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # noise makes warnings that mean nothing here
        made = simulate_window(
            account.context,
            NullTelemetry(),
            portfolio_weights=account.weights,
            bars=bars,
            funding=funding,
            final_holdings=account.held,
        )
    return {asset: _until(made[asset], cut) for asset in ACCOUNTS}


def _until(frame: pd.DataFrame, cut: pd.Timestamp) -> pd.DataFrame:
    return frame[frame["ts"] <= cut].reset_index(drop=True)


def _differing(
    account: Account, found: Mapping[str, pd.DataFrame], cut: pd.Timestamp
) -> Iterator[tuple[tuple[str, str], str]]:
    """(asset, entrant) and how many values, for those that are not as stored."""
    mine = set(account.weights["entrant"])  # strategies bring accounts of their own
    for asset in ACCOUNTS:
        whole = account.made[asset]
        stored = _until(whole[whole["entrant"].isin(mine)], cut)
        if not changed_values(stored, found[asset]):
            continue
        before, after = (by_rows("entrant")(frame) for frame in (stored, found[asset]))
        for name in sorted({*before, *after}):
            one, other = (part.get(name, stored.iloc[:0]) for part in (before, after))
            changed = changed_values(one, other) if len(one) or len(other) else 0
            if changed:
                yield (asset, name), f"{changed} of {one.size} values changed"


def _verdicts(
    account: Account, changed: dict[tuple[str, str], list[str]], failed: list[str]
) -> Iterator[CellVerdict]:
    mine = set(account.weights["entrant"])
    silent = len(failed) == len(("truncated", "noise"))
    for asset in ACCOUNTS:
        for name, rows in by_rows("entrant")(account.made[asset]).items():
            if name not in mine:
                continue
            texts = changed.get((asset, name), [])
            verdict = "leak" if texts else ("undecided" if silent else "trusted")
            text = "; ".join([*texts, CAUSE] if texts else failed)
            yield CellVerdict(asset, name, verdict, rows.size, len(texts), text)
