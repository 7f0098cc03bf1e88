"""Signals that a strategy may give by mistake are refused by name."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.strategies.signals import Signals

FLAGS = np.zeros((3, 2), dtype=np.bool_)
WRONG = [
    ({"entry_long": pd.DataFrame(FLAGS)}, "entry_long is a DataFrame; give a numpy array"),
    ({"entry_long": FLAGS.tolist()}, "entry_long is a list; give a numpy array"),
    ({"entry_long": True}, "entry_long is a bool; give a numpy array"),
    ({"entry_long": FLAGS.astype(int)}, "entry_long is int64; it must be bool"),
    ({"target": FLAGS.astype(int)}, "target is int64; it must be float64"),
    ({"target": np.array([0.5, np.inf])}, "target has infinite weights"),
    ({"limit": np.ones((3, 2))}, r"signals are \['limit'\] alone"),
    ({"entry_long": FLAGS, "exit_long": FLAGS[:2]}, "different shapes"),
    ({"entry_long": FLAGS, "target": np.ones((3, 2))}, "give one kind"),
    ({}, "signals are empty"),
]


@pytest.mark.parametrize(("given", "told"), WRONG)
def test_signals_refuse_by_name(given: dict[str, object], told: str) -> None:
    with pytest.raises(DataError, match=told):
        Signals(**given)  # type: ignore[arg-type]


def test_signals_take_targets_that_are_not_decided() -> None:
    assert Signals(target=np.array([np.nan, -0.5])).shape == (2,)
