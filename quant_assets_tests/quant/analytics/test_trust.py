"""Whose figures may be believed."""

import pandas as pd

from quant_assets.contracts.model_leaks import ModelLeaks
from quant_assets.quant.analytics.trust import trusted_entrants


def models(*rows: tuple[str, str, bool]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["asset", "plug_in", "trusted"])


GOOD = (
    ("alpha_signals", "rank", True),
    ("target_weights", "a", True),
    ("portfolio_weights", "a", True),
    ("portfolio_weights", "champion", True),
    ("target_weights", "b", True),
)
YES, NO = (pd.DataFrame({"trusted": [found]}) for found in (True, False))


def test_trusted_entrants_are_those_whose_parts_all_are():
    names = ("a", "b", "champion")
    assert trusted_entrants(names, models(*GOOD), {}) == dict.fromkeys(names, True)
    one = models(*GOOD, ("equity", "b", False))
    assert trusted_entrants(names, one, {}) == {"a": True, "b": False, "champion": False}


def test_what_everybody_uses_blocks_everybody():
    names = ("a", "b", "champion")
    signal = models(*GOOD, ("alpha_signals", "echo", False))
    assert trusted_entrants(names, signal, {}) == dict.fromkeys(names, False)
    streams = {"s_leaks": NO}
    assert not any(trusted_entrants(names, models(*GOOD), streams, ["s_walk"]).values())


def test_strategies_are_judged_by_their_own_checks():
    leaks = {"dip_leaks": YES, "peek_leaks": NO}
    found = trusted_entrants(("a", "dip", "dip_walk", "peek"), models(*GOOD), leaks)
    assert found == {"a": True, "dip": True, "dip_walk": True, "peek": False}


def test_what_was_not_examined_is_not_trusted():
    assert trusted_entrants(("a", "new"), ModelLeaks.empty(), {}) == {"a": False, "new": False}
    assert trusted_entrants(("new",), models(*GOOD), {}) == {"new": False}
