"""An unknown file is refused with what it lacks; a known one is known by its content."""

import pytest

from quant_assets.adapters.files.recognition import recognise
from quant_assets.core.errors import DataError
from quant_assets_tests.adapters.layouts.reading import MemoryFile, text_file


def test_content_decides_and_the_name_does_not() -> None:
    file = text_file("anything", "t,oi,oi_usd", "1764547500000,1,2")
    assert recognise(file).name == "open_interest_csv"


def test_a_renamed_column_is_shown_beside_the_nearest_layout() -> None:
    file = text_file("x.csv", "time,side,order_type,time_in_force,size,price,average_price")
    with pytest.raises(DataError) as caught:
        recognise(file)
    text = str(caught.value)
    assert "x.csv: no known layout" in text
    assert "Nearest is binance_liquidations" in text
    assert "Missing: original_quantity" in text
    assert "Not expected: size" in text
    assert "Known layouts:" in text


@pytest.mark.parametrize(
    "content",
    [
        b'{"code":-1003,"msg":"Too many requests"}',
        b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>",
        b"\x00\x01\x02",
        b"\n\n",
        b"ARROW1\x00\x00garbage",
    ],
)
def test_what_is_no_data_at_all_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match="no known layout"):
        recognise(MemoryFile("x", content))
