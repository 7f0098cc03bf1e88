from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from quant_assets.adapters.files.opening import open_source
from quant_assets.adapters.tabular.parquet_rows import column_names, is_parquet, parquet_rows
from quant_assets.core.errors import DataError
from quant_assets_tests.adapters.tabular.table_files import Folder, venue_of

NOON = datetime(2024, 1, 31, 12, tzinfo=UTC)


def rows_of_file(tmp_path: Path, columns: dict):
    file = next(open_source(Folder(tmp_path).parquet("a.parquet", columns)))
    assert is_parquet(file)
    return next(parquet_rows(file, column_names(file)))


def test_text_is_text_whatever_it_looks_like(tmp_path: Path):
    names = ["NA", "NULL", "TRUE", "1INCH", None]
    plain = rows_of_file(tmp_path, {"symbol": names})
    coded = rows_of_file(tmp_path, {"symbol": pa.array(names).dictionary_encode()})
    for rows in (plain, coded):
        assert rows.words("symbol").tolist() == ["NA", "NULL", "TRUE", "1INCH", ""]
        assert rows.line.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1.5, None]),
        pa.array([Decimal("1.5"), None]),
        pa.array([1.5, None], pa.float32()),
    ],
)
def test_every_type_of_number_is_float64_and_null_is_nan(tmp_path: Path, values: pa.Array):
    found = rows_of_file(tmp_path, {"close": values}).numbers("close")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [1.5, np.nan])


@pytest.mark.parametrize("values", [["1,5"], ["1.5"], [True], [NOON]])
def test_a_price_of_another_type_is_refused_and_named(tmp_path: Path, values: list):
    with pytest.raises(DataError, match=r"a\.parquet: column close is .*, expected a number"):
        rows_of_file(tmp_path, {"close": values}).numbers("close")


def test_a_symbol_of_another_type_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="column symbol is int64, expected text"):
        rows_of_file(tmp_path, {"symbol": [1]}).words("symbol")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_instants_of_any_unit_and_zone_become_utc_microseconds(tmp_path: Path, unit: str):
    cells = pa.array([NOON, None]).cast(pa.timestamp(unit, "America/New_York"))
    found = rows_of_file(tmp_path, {"ts": cells}).moments("ts", venue_of("crypto_perpetual"))
    assert found.dtype == "datetime64[us]"
    assert [str(moment) for moment in found] == ["2024-01-31T12:00:00.000000", "NaT"]


def test_times_without_zone_need_a_declared_one(tmp_path: Path):
    cells = pa.array([NOON.replace(tzinfo=None)])
    rows = rows_of_file(tmp_path, {"ts": cells, "ts_utc": cells})
    with pytest.raises(DataError, match=r"a\.parquet: column ts: line 1: .* has no UTC offset"):
        rows.moments("ts", venue_of("crypto_perpetual"))
    new_york = rows.moments("ts", venue_of("equity", bar_length="1h"))
    assert str(new_york[0])[:16] == "2024-01-31T17:00"
    assert str(rows.moments("ts_utc", venue_of("crypto_perpetual"))[0])[:16] == "2024-01-31T12:00"


def test_dates_and_integers_of_a_named_unit_are_times(tmp_path: Path):
    rows = rows_of_file(
        tmp_path, {"date": [date(2024, 1, 31)], "ts_ms": [1706702400000], "time": [1706702400000]}
    )
    venue = venue_of("crypto_spot")
    assert str(rows.moments("date", venue)[0])[:16] == "2024-01-31T00:00"
    assert str(rows.moments("ts_ms", venue)[0])[:16] == "2024-01-31T12:00"
    with pytest.raises(DataError, match=r"column time is int64, expected timestamp\[us, UTC\]"):
        rows.moments("time", venue)


def test_a_file_without_rows_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"a\.parquet: 0 rows"):
        rows_of_file(tmp_path, {"close": pa.array([], pa.float64())})


def test_a_file_with_too_many_columns_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="600 columns, the limit is 512"):
        rows_of_file(tmp_path, {f"c{n}": [1.0] for n in range(600)})


def test_a_small_file_of_endlessly_repeated_values_is_refused(tmp_path: Path):
    bomb = {"close": pa.array(np.ones(5_000_000))}
    with pytest.raises(DataError, match=r"a\.parquet: .* bytes hold cells of 40,000,000"):
        rows_of_file(tmp_path, bomb)
