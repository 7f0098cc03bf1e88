"""Simulated accounts on bars that end early or become noise: honest ones, and fills of tomorrow."""

from dataclasses import replace

import numpy as np
import pytest

from quant_assets.contracts.final_holdings import FinalHoldings
from quant_assets.contracts.funding import Funding
from quant_assets.core.errors import DataError
from quant_assets.quant.leaks import accounts
from quant_assets.quant.leaks.accounts import Account, examine_accounts
from quant_assets.quant.simulation.inputs import PriceGrid
from quant_assets_tests.quant.simulation.markets import bars, context, simulate, weights

pytestmark = pytest.mark.slow

DECIDED = weights({"a": {"X": 0.5, "Y": 0.5}, "b": {"Y": 0.9}})
PRICES = 100.0 * np.exp(np.cumsum(np.random.default_rng(5).normal(0.0, 0.02, (20, 2)), axis=0))


def account() -> Account:
    stage = context(fee_bps=5.0, slippage_bps=2.0)
    prices = bars({"X": PRICES[:, 0].tolist(), "Y": PRICES[:, 1].tolist()})
    made = simulate(stage, DECIDED, prices)
    given = {"held": FinalHoldings.empty(), "bars": prices, "funding": Funding.empty()}
    return Account(stage, DECIDED, made={k: made[k] for k in accounts.ACCOUNTS}, **given)


def test_accounts_of_the_simulation_do_not_know_what_follows():
    found = examine_accounts(account())
    assert {(v.asset, v.plug_in, v.verdict) for v in found} == {
        (asset, name, "trusted") for asset in ("equity", "fills") for name in ("a", "b")
    }


def test_fills_at_the_price_of_the_next_bar_are_found(monkeypatch: pytest.MonkeyPatch):
    honest = PriceGrid.fill_prices

    def tomorrow(grid: PriceGrid, *, at_open: bool):
        prices = honest(grid, at_open=at_open)
        return np.vstack([prices[1:], prices[-1:]])

    monkeypatch.setattr(PriceGrid, "fill_prices", tomorrow)
    found = {(v.asset, v.plug_in): v for v in examine_accounts(account())}
    assert {v.verdict for v in found.values()} == {"leak"}
    assert "noise after 2024-01-01" in found["fills", "a"].text


def test_entrant_whose_stored_account_is_another_is_named():
    one = account()
    other = one.made["equity"].copy()
    other.loc[other["entrant"] == "b", "cash"] += 1e-9
    found = examine_accounts(replace(one, made={**one.made, "equity": other}))
    assert [(v.asset, v.plug_in) for v in found if not v.trusted] == [("equity", "b")]


def test_accounts_of_strategies_are_not_judged_and_none_is_silent():
    one = account()
    theirs = one.made["equity"].assign(entrant="dip")
    assert examine_accounts(replace(one, made={**one.made, "equity": theirs.iloc[:0]})) == []
    found = examine_accounts(replace(one, made={"equity": theirs, "fills": one.made["fills"]}))
    assert "dip" not in {v.plug_in for v in found}


def test_accounts_that_no_noise_survives_are_undecided(monkeypatch: pytest.MonkeyPatch):
    one = account()

    def ruined(*_arguments, **_frames):
        raise DataError("ruined\nby noise")

    monkeypatch.setattr(accounts, "simulate_window", ruined)
    found = examine_accounts(one)
    assert {v.verdict for v in found} == {"undecided"}
    assert found[0].text == "truncated: ruined; noise: ruined"
