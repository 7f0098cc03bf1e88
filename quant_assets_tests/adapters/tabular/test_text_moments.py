from pathlib import Path

import pytest

from quant_assets.adapters.files.csv_rows import csv_rows
from quant_assets.adapters.files.opening import open_source
from quant_assets.adapters.tabular.text_moments import text_moments
from quant_assets.core.errors import DataError
from quant_assets_tests.adapters.tabular.table_files import Folder, venue_of


def read(tmp_path: Path, column: str, *cells: str, asset_class: str = "crypto_perpetual"):
    path = Folder(tmp_path).text(
        "a.csv", f"{column},x\n" + "".join(f"{cell},1\n" for cell in cells)
    )
    file = next(open_source(path))
    rows = next(csv_rows(file))
    found = text_moments(rows, column, venue_of(asset_class))
    return [str(moment) for moment in found], rows.reasons


def test_offsets_are_applied_and_fractions_kept_to_the_microsecond(tmp_path: Path):
    found, reasons = read(
        tmp_path,
        "ts",
        "2024-01-31T08:00:00Z",
        "2024-01-31 08:00:00+02:00",
        "2024-01-31 08:00:00.015-0500",
        "2024-01-31T08:00Z",
        "2024-01-31 08:00:00.123456789 UTC",
    )
    assert found == [
        "2024-01-31T08:00:00.000000",
        "2024-01-31T06:00:00.000000",
        "2024-01-31T13:00:00.015000",
        "2024-01-31T08:00:00.000000",
        "2024-01-31T08:00:00.123456",
    ]
    assert reasons == {}


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("ts_ms", "1706688000000"),
        ("timestamp_s", "1706688000"),
        ("timestamp_us", "1706688000000000"),
        ("t_ns", "1706688000000000000"),
        ("timestamp_utc", "2024-01-31 08:00:00"),
    ],
)
def test_a_column_whose_name_says_unit_or_utc_needs_no_offset(
    tmp_path: Path, column: str, cell: str
):
    assert read(tmp_path, column, cell)[0] == ["2024-01-31T08:00:00.000000"]


def test_dates_of_daily_bars_are_utc_midnights_in_both_spellings(tmp_path: Path):
    found, _ = read(tmp_path, "date", "2024-01-31", "20240201", asset_class="equity")
    assert found == ["2024-01-31T00:00:00.000000", "2024-02-01T00:00:00.000000"]


def test_a_line_without_a_time_is_set_aside_with_its_reason(tmp_path: Path):
    found, reasons = read(tmp_path, "ts", "2024-01-31T08:00Z", "soon", "2024-02-30T08:00Z", "")
    assert found[1:] == ["NaT", "NaT", "NaT"]
    assert set(reasons) == {1, 2, 3}
    assert "ts is not a time like 2024-01-31T08:00:00Z" in reasons[1]


@pytest.mark.parametrize("cell", ["1/4/1999", "31.01.2024", "1706688000000", "Jan 31 2024"])
def test_a_file_of_other_times_is_refused_with_a_sample(tmp_path: Path, cell: str):
    with pytest.raises(
        DataError, match=rf"a\.csv: column date:.*line 2 has '{cell}'.*timestamp_ms"
    ):
        read(tmp_path, "date", cell)
