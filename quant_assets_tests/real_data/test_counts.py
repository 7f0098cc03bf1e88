"""Real files come out as documented: the same rows stored, set aside, mended, flagged, missing."""

import json

import pytest

from quant_assets_tests.adapters.real_files import real_folder
from quant_assets_tests.real_data.counts import PAGE, outcome

pytestmark = pytest.mark.slow
EXPECTED = json.loads(PAGE.read_text(encoding="utf-8"))
# What the publishers are known for; if the page of counts were made anew, these must still hold.
KNOWN = {
    "us_equities/stocknet/PTR.csv.gz": ("bars", "quarantined", 1),
    "us_equities/stocknet/REX.csv.gz": ("bars", "quarantined", 1),
    "us_equities/stocknet/SNP.csv.gz": ("bars", "quarantined", 1),
    "binance/tidy/ohlcv_5m.parquet": ("bars", "dropped", 30725),
    "binance/universe_usdm/ohlcv_1d.parquet": ("bars", "symbols", 257),
    "binance/raw/oi_2026/BTC_oi_5m.csv.gz": ("open_interest", "stored", 55296),
    "binance/tidy/liquidations_2025-06-23.parquet": ("liquidations", "rows", 1156),
    "us_equities/pystock/ohlcv_1d_vintages.parquet": ("bars", "rows", 292826),
}


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_page_of_counts_has_the_documented_quirks(name: str):
    dataset, count, value = KNOWN[name]
    assert EXPECTED[name][dataset][count] == value


@pytest.mark.parametrize(
    "name",
    ["us_equities/pystock/raw/20150610.tar.gz", "us_equities/pystock/raw/20161117.tar.gz"],
)
def test_archives_without_data_are_refused(name: str):
    assert "no data" in EXPECTED[name]["refused"]


@pytest.mark.parametrize("group", sorted({name.rpartition("/")[0] for name in EXPECTED}))
def test_files_come_out_as_counted(group: str):
    folder = real_folder()
    names = [name for name in EXPECTED if name.rpartition("/")[0] == group]
    present = [name for name in names if (folder / name).is_file()]
    assert present, f"{group} is not in {folder}"
    found = {name: outcome(folder / name, name) for name in present}
    assert found == {name: EXPECTED[name] for name in present}
