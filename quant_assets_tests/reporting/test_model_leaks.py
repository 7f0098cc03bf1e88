"""Who is not trusted, in words."""

import pandas as pd

from quant_assets.contracts.model_leaks import ModelLeaks
from quant_assets.reporting.model_leaks import MOST, model_stamps


def leaks(*found: tuple[str, str, str, str]) -> pd.DataFrame:
    rows = [
        (pd.Timestamp(ts, tz="UTC"), asset, name, verdict, verdict == "trusted", "why")
        for ts, asset, name, verdict in found
    ]
    return pd.DataFrame(rows, columns=["ts", "asset", "plug_in", "verdict", "trusted", "text"])


def test_model_stamps_name_each_plug_in_once_with_its_first_window():
    found = leaks(
        ("2020-05-01", "target_weights", "kelly", "leak"),
        ("2020-01-01", "target_weights", "kelly", "leak"),
        ("2020-01-01", "alpha_signals", "rank", "trusted"),
        ("2020-01-01", "alpha_signals", "dice", "not_deterministic"),
    )
    assert model_stamps(found) == (
        "NOT TRUSTED: kelly of target_weights by the leak check: leak, first in 2020-01-01: why",
        "NOT TRUSTED: dice of alpha_signals by the leak check: not_deterministic, first in "
        "2020-01-01: why",
    )


def test_model_stamps_say_nothing_of_trusted_or_unexamined_models():
    assert model_stamps(leaks(("2020-01-01", "equity", "kelly", "trusted"))) == ()
    assert model_stamps(ModelLeaks.empty()) == ()


def test_model_stamps_of_many_are_counted():
    many = [("2020-01-01", "equity", f"e{n:02}", "leak") for n in range(MOST + 3)]
    assert model_stamps(leaks(*many))[-1] == "NOT TRUSTED: 3 more parts"
