"""Mutation tests: every contract names the broken column, and never cries wolf."""

import numpy as np
import pandas as pd
import pytest
from pandera.errors import SchemaErrors

from quant_assets.contracts.bars import Bars
from quant_assets.contracts.base import Contract
from quant_assets.contracts.fast_check import certainly_valid, strictly_increasing
from quant_assets.core.errors import ContractError
from quant_assets_tests.contracts.samples import all_contracts, allowed, bounds, valid_frame

CONTRACTS = all_contracts()


def names_of(contract: type[Contract]) -> list[str]:
    return [n for n, c in contract.to_schema().columns.items() if not c.regex]


def rejected(contract: type[Contract], frame: pd.DataFrame) -> str:
    """The error text; also holds the fast check to 'never valid when pandera or we refuse'."""
    with pytest.raises(ContractError) as caught:
        contract.check_frame(frame, where="cell x")
    return str(caught.value)


def pandera_accepts(contract: type[Contract], frame: pd.DataFrame) -> bool:
    try:
        contract.validate(frame, lazy=True)
    except SchemaErrors:
        return False
    return True


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.__name__)
def test_contract_accepts_valid_and_empty_frames_without_asking_pandera(contract: type[Contract]):
    for frame in (valid_frame(contract), contract.empty()):
        assert contract.check_frame(frame, where="cell") is frame
        assert certainly_valid(frame, contract.to_schema())
        assert pandera_accepts(contract, frame)


@pytest.mark.slow
@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.__name__)
def test_contract_names_every_missing_surplus_and_retyped_column(contract: type[Contract]):
    frame = valid_frame(contract)
    assert "odd_column" in rejected(contract, frame.assign(odd_column=1.0))
    for name in names_of(contract):
        assert name in rejected(contract, frame.drop(columns=name))
        retyped = frame.copy()
        retyped[name] = (
            pd.Series([object()] * len(frame), dtype=object)
            if frame[name].dtype == "str"
            else frame[name].astype("str")
        )
        assert not certainly_valid(retyped, contract.to_schema())
        assert name in rejected(contract, retyped)


@pytest.mark.slow
@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.__name__)
def test_contract_names_every_value_out_of_range_and_every_forbidden_null(contract: type[Contract]):
    frame = valid_frame(contract)
    schema = contract.to_schema()
    for name, column in schema.columns.items():
        label = "value_sample" if column.regex else name
        bad = []
        if allowed(column) is not None:
            bad.append("no such value" if frame[label].dtype == "str" else 99)
        elif frame[label].dtype.kind in "fi":
            low, high = bounds(column)
            bad += [low - 2] if low > -1e6 else []
            bad += [high + 2] if high < 1e6 else []
        for value in bad:
            broken = frame.copy()
            broken[label] = (
                broken[label].where(np.arange(len(frame)) != 3, value).astype(frame[label].dtype)
            )
            assert not certainly_valid(broken, schema), (label, value)
            text = rejected(contract, broken)
            assert label in text or "key" in text or "sorted" in text
        if not column.nullable and frame[label].dtype.kind == "f":
            broken = frame.copy()
            broken.loc[3, label] = np.nan
            assert not certainly_valid(broken, schema)
            assert label in rejected(contract, broken)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.__name__)
def test_contract_refuses_repeated_and_unsorted_keys_odd_indexes_and_infinities(
    contract: type[Contract],
):
    frame = valid_frame(contract)
    repeated = pd.concat([frame, frame.iloc[[0]]], ignore_index=True)
    assert "repeat the key" in rejected(contract, repeated)
    assert "not sorted" in rejected(contract, frame[::-1].reset_index(drop=True))
    assert "RangeIndex" in rejected(contract, frame.set_index(pd.Index(range(10, 16))))
    floats = [n for n in frame.columns if frame[n].dtype == "float64"]
    for name in floats:
        broken = frame.copy()
        broken.loc[2, name] = np.inf
        assert f"column {name} holds 1 infinities" in rejected(contract, broken)


def test_contract_error_lists_all_problems_at_once_with_rows_and_values():
    frame = valid_frame(Bars)
    frame.loc[1, "close"] = -3.0
    frame.loc[2, "volume"] = -1.0
    text = rejected(Bars, frame)
    assert text.startswith("cell x breaks the contract Bars:")
    assert "close: greater_than(0) failed 1 times (row 1: -3.0)" in text
    assert "volume: greater_than_or_equal_to(0) failed 1 times (row 2: -1.0)" in text


def test_contract_refuses_naive_and_nanosecond_timestamps():
    frame = valid_frame(Bars)
    for dtype in ("datetime64[ns, UTC]", "datetime64[us, Europe/Paris]"):
        assert "ts" in rejected(Bars, frame.assign(ts=frame["ts"].astype(dtype)))
    assert "ts" in rejected(Bars, frame.assign(ts=frame["ts"].dt.tz_localize(None)))


def test_contract_takes_symbols_that_look_like_other_things():
    frame = valid_frame(Bars).assign(
        symbol=pd.Series(["1INCH", "NA", "NULL", "TRUE", "nan", "None"], dtype="str")
    )
    assert Bars.check_frame(frame, where="cell") is frame


def test_strictly_increasing_is_lexicographic():
    frame = pd.DataFrame({"a": [1, 1, 2], "b": ["x", "y", "a"]}).astype({"b": "str"})
    assert strictly_increasing(frame, ["a", "b"])
    assert not strictly_increasing(frame, ["b", "a"])
    assert not strictly_increasing(frame.iloc[[0, 0]], ["a", "b"])
    assert not strictly_increasing(frame.assign(a=[1.0, np.nan, 2.0]), ["a", "b"])


def test_strictly_increasing_takes_no_missing_key_however_much_the_first_one_rises():
    ts = pd.date_range("2024-01-01", periods=3, freq="D", tz="UTC")
    frame = pd.DataFrame({"ts": ts, "symbol": pd.Series(["A", "B", "A"], dtype="str")})
    assert strictly_increasing(frame, ["ts", "symbol"])
    assert not strictly_increasing(frame.iloc[::-1], ["ts", "symbol"])
    frame.loc[1, "symbol"] = None
    assert not strictly_increasing(frame, ["ts", "symbol"])
    frame = frame.assign(symbol=["A", "B", "C"], ts=[ts[0], ts[0], ts[1]])
    assert strictly_increasing(frame, ["ts", "symbol"])
    assert not strictly_increasing(frame.assign(symbol=["B", "A", "C"]), ["ts", "symbol"])
