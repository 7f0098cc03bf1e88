"""What is exported comes back as it was, and no text of it is a formula."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from quant_assets.cli.commands.query import command
from quant_assets.contracts.strategy_trades import StrategyTrades
from quant_assets.core.errors import ConfigError
from quant_assets.storage.exports import export_frame, import_frame
from quant_assets_tests.contracts.samples import valid_frame

FORMATS = ["parquet", "csv", "json"]
TEXTS = ["=1+1", "'=1+1", "''-x", "'plain", 'a,b\n"c"', "", "NA", "null", "1INCH", "@x", "+1"]


def table() -> pd.DataFrame:
    n = len(TEXTS)
    stamps = pd.date_range("2024-01-01", periods=n, freq="37min7s", tz="UTC").as_unit("us")
    values = np.random.default_rng(2).normal(size=n) * 10.0 ** np.arange(-5, n - 5)
    values[[1, 4]] = np.nan
    return pd.DataFrame(
        {
            "text": pd.Series(TEXTS, dtype="str"),
            "ts": pd.Series(stamps).where(np.arange(n) != 2),
            "value": values,
            "count": np.arange(n, dtype=np.int64) * 2**52,
            "flag": np.arange(n) % 3 == 0,
            "=name": np.ones(n),
        }
    )


@pytest.mark.parametrize("suffix", FORMATS)
def test_tables_come_back_to_the_last_bit(tmp_path, suffix):
    frame, path = table(), tmp_path / f"table.{suffix}"
    export_frame(frame, path)
    pd.testing.assert_frame_equal(import_frame(path, frame.iloc[:0]), frame, check_exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FORMATS)
def test_rows_of_a_contract_come_back_as_that_contract(tmp_path, suffix):
    frame, path = valid_frame(StrategyTrades), tmp_path / f"trades.{suffix}"
    export_frame(frame, path)
    again = import_frame(path, StrategyTrades)
    StrategyTrades.check_frame(again, where="exported")
    pd.testing.assert_frame_equal(again, frame, check_exact=True)


def test_no_cell_of_a_csv_is_a_formula(tmp_path):
    export_frame(table(), tmp_path / "table.csv")
    cells = pd.read_csv(tmp_path / "table.csv", dtype="str", keep_default_na=False)
    texts = [*cells["text"], *cells.columns]
    assert not [text for text in texts if text[:1] in set("=+-@\t\r")]


def test_json_has_no_numbers_that_json_lacks(tmp_path):
    frame = pd.DataFrame({"x": [1.5, np.nan, np.inf, -np.inf]})
    export_frame(frame, tmp_path / "x.json")
    text = (tmp_path / "x.json").read_text("utf-8")
    assert json.loads(text, parse_constant=pytest.fail)[1:] == [
        {"x": None},
        {"x": "inf"},
        {"x": "-inf"},
    ]
    pd.testing.assert_frame_equal(import_frame(tmp_path / "x.json", frame), frame)


def test_other_endings_and_missing_columns_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"t.xlsx: a file ends with .parquet, .csv, .json"):
        export_frame(table(), tmp_path / "t.xlsx")
    export_frame(table()[["text"]], tmp_path / "t.csv")
    with pytest.raises(ConfigError, match="no columns ts, value"):
        import_frame(tmp_path / "t.csv", table())


@pytest.mark.slow
def test_query_writes_what_it_finds(tmp_path, monkeypatch):
    monkeypatch.setenv("QUANT_ASSETS_DATA_ROOT", str(tmp_path / "data"))
    out = tmp_path / "rows.csv"
    done = CliRunner().invoke(command, ["SELECT '=2' AS a, 1.25 AS b", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_bytes() == b"a,b\r\n'=2,1.25\r\n"


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.text(
            st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\0"),
            max_size=6,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_text_comes_back(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("texts")
    frame = pd.DataFrame({"a": pd.Series(texts, dtype="str"), "n": np.ones(len(texts))})
    for suffix in FORMATS:
        export_frame(frame, folder / f"t.{suffix}")
        pd.testing.assert_frame_equal(import_frame(folder / f"t.{suffix}", frame), frame)
