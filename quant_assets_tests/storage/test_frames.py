import hashlib
import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from quant_assets.core.errors import IntegrityError, StorageError
from quant_assets.storage.frames import (
    column_dtypes,
    data_digest,
    decode_frame,
    decode_table,
    encode_frame,
    to_table,
)
from quant_assets_tests.storage.samples import ODD_SYMBOLS, bars

FRESH = """
import numpy as np, pandas as pd
from quant_assets.storage.frames import data_digest, encode_frame
import hashlib
frame = pd.DataFrame({
    "ts": pd.date_range("2020-01-01", periods=50, freq="h", tz="UTC").as_unit("us"),
    "symbol": pd.Series([f"S{i % 7}" for i in range(50)], dtype="str"),
    "x": np.linspace(0, 1, 50), "n": np.arange(50), "flag": np.arange(50) % 2 == 0,
})
print(hashlib.sha256(encode_frame(frame)).hexdigest(), data_digest(frame))
"""


def every_dtype():
    """All dtypes that contracts use, with the values that break naive storage."""
    n = len(ODD_SYMBOLS)
    ts = pd.date_range("1969-12-31", periods=n, freq="D", tz="UTC").as_unit("us")
    return pd.DataFrame(
        {
            "ts": ts,
            "available_at": ts + pd.Timedelta(microseconds=1),
            "symbol": pd.Series(ODD_SYMBOLS, dtype="str"),
            "close": np.array([0.1, np.nan, -0.0, 1e300, 5e-324, 1, 2, 3, 4, 1 / 3]),
            "n": np.array([0, -(2**63), 2**63 - 1, 3, 4, 5, 6, 7, 8, 9], dtype="int64"),
            "flag": np.array([True, False] * (n // 2)),
        }
    )


def test_round_trip_every_contract_dtype_is_exact():
    frame = every_dtype()
    back = decode_frame(encode_frame(frame))
    assert_frame_equal(back, frame, check_exact=True)
    assert back["symbol"].tolist() == ODD_SYMBOLS
    assert np.signbit(back["close"][2])
    assert isinstance(back.index, pd.RangeIndex)


def test_round_trip_keeps_the_digest_and_tells_the_dtypes():
    frame = every_dtype()
    table = decode_table(encode_frame(frame))
    assert data_digest(decode_frame(encode_frame(frame))) == data_digest(frame)
    assert column_dtypes(table) == {name: str(dtype) for name, dtype in frame.dtypes.items()}


@pytest.mark.parametrize("rows", [0, 1])
def test_round_trip_of_tiny_frames_keeps_dtypes(rows):
    frame = every_dtype().head(rows)
    back = decode_frame(encode_frame(frame))
    assert_frame_equal(back, frame, check_exact=True)
    assert data_digest(back) == data_digest(frame)


@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=True, allow_infinity=False),
            st.integers(-(2**63), 2**63 - 1),
            st.text(st.characters(codec="utf-8"), max_size=6),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_round_trip_any_values_keeps_frame_and_digest(rows):
    values, numbers, texts, flags = zip(*rows, strict=True) if rows else ((), (), (), ())
    frame = pd.DataFrame(
        {
            "x": np.array(values, dtype="float64"),
            "n": np.array(numbers, dtype="int64"),
            "s": pd.Series(texts, dtype="str"),
            "b": np.array(flags, dtype="bool"),
        }
    )
    data = encode_frame(frame)
    back = decode_frame(data)
    assert_frame_equal(back, frame, check_exact=True)
    assert encode_frame(back) == data
    assert data_digest(back) == data_digest(frame)


def test_encode_frame_memory_layout_does_not_matter():
    frame = pd.concat([bars(400)] * 3, ignore_index=True)
    pieces = pd.concat([frame.iloc[:700], frame.iloc[700:]], ignore_index=True)
    python = frame.astype({"symbol": pd.StringDtype("python", na_value=np.nan)})
    sliced = pd.concat([frame.head(5), frame], ignore_index=True).iloc[5:]
    strided = frame.assign(close=np.column_stack([frame["close"], frame["close"]])[:, 1])
    for other in (pieces, python, sliced, strided):
        assert encode_frame(other) == encode_frame(frame)
        assert data_digest(other) == data_digest(frame)


@pytest.mark.slow
def test_encode_frame_fresh_processes_and_hash_seeds_give_the_same_bytes():
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", FRESH],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed, zone in (("0", "UTC"), ("4711", "Asia/Tokyo"))
    ]
    answers = {process.communicate()[0] for process in processes}
    assert len(answers) == 1
    assert len(answers.pop().split()) == 2


def test_encode_frame_each_type_has_its_encoding_and_lz4():
    file = pq.ParquetFile(pa.BufferReader(encode_frame(every_dtype())))
    group = file.metadata.row_group(0)
    columns = {c.path_in_schema: c for c in map(group.column, range(group.num_columns))}
    assert {c.compression for c in columns.values()} == {"LZ4"}
    for name, encoding in {
        "ts": "DELTA_BINARY_PACKED",
        "n": "DELTA_BINARY_PACKED",
        "close": "BYTE_STREAM_SPLIT",
        "symbol": "RLE_DICTIONARY",
    }.items():
        assert encoding in columns[name].encodings


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "int8", "int16", "uint8", "uint32", "uint64", "bool"]
)
def test_round_trip_narrow_numbers_are_exact(dtype):
    frame = pd.DataFrame({"x": np.array([0, 1, 1, 100], dtype=dtype)})
    assert_frame_equal(decode_frame(encode_frame(frame)), frame, check_exact=True)


def test_encode_frame_pages_carry_checksums():
    data = bytearray(encode_frame(bars(300)))
    first_page = pq.ParquetFile(pa.BufferReader(bytes(data))).metadata.row_group(0).column(3)
    data[first_page.data_page_offset + first_page.total_compressed_size - 4] ^= 1
    with pytest.raises(IntegrityError, match="not readable as parquet"):
        decode_frame(bytes(data))


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_decode_frame_truncated_bytes_are_an_integrity_error(keep):
    with pytest.raises(IntegrityError, match="not readable as parquet"):
        decode_frame(encode_frame(bars())[:keep])


def test_data_digest_hand_worked_for_one_float_column():
    whole = hashlib.sha256(b"2\x1fx\x1ffloat64\x1f")
    whole.update(np.array([1.5, np.nan]).tobytes())
    assert data_digest(pd.DataFrame({"x": [1.5, np.nan]})) == whole.hexdigest()


def test_data_digest_hand_worked_for_texts_and_times():
    ts = pd.to_datetime(["1970-01-01T00:00:00.000007Z"]).as_unit("us")
    frame = pd.DataFrame({"ts": ts, "s": pd.Series(["é"], dtype="str")})
    whole = hashlib.sha256(b"1\x1fts\x1fdatetime64[us, UTC]\x1f")
    whole.update(np.array([7], dtype="int64").tobytes())
    whole.update(b"\x1fs\x1fstr\x1f" + np.array([0], dtype="int64").tobytes() + b'["\\u00e9"]')
    assert data_digest(frame) == whole.hexdigest()


def test_data_digest_nan_payloads_and_negative_zero_do_not_count():
    payload = np.array([0x7FF8000000000123], dtype="uint64").view("float64")[0]
    negative = np.array([0xFFF8000000000000], dtype="uint64").view("float64")[0]
    digests = {
        data_digest(pd.DataFrame({"x": [nan, zero]}))
        for nan in (np.nan, payload, negative)
        for zero in (0.0, -0.0)
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.assign(close=f["close"] + 1e-12),
        lambda f: f.assign(symbol=f["symbol"].replace("MSFT", "NA")),
        lambda f: f.assign(ts=f["ts"] + pd.Timedelta(microseconds=1)),
        lambda f: f.rename(columns={"close": "open"}),
        lambda f: f[["ts", "symbol", "available_at", "close"]],
        lambda f: f.iloc[:-1],
        lambda f: f.iloc[::-1].reset_index(drop=True),
        lambda f: f.astype({"close": "float32"}),
        lambda f: f.assign(symbol=f["symbol"].where(f["symbol"] != "MSFT")),
    ],
)
def test_data_digest_any_difference_counts(change):
    assert data_digest(change(bars())) != data_digest(bars())


def test_data_digest_missing_text_is_not_the_text_nan():
    missing = pd.DataFrame({"s": pd.Series([None, "a"], dtype="str")})
    word = pd.DataFrame({"s": pd.Series(["nan", "a"], dtype="str")})
    assert data_digest(missing) != data_digest(word)
    assert decode_frame(encode_frame(missing))["s"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, "1"], dtype="object"),
        pd.Series([1, None], dtype="Int64"),
        pd.Series(["a", "b"], dtype="category"),
        pd.Series(["a", None], dtype="string"),
        pd.Series([1 + 2j]),
        pd.Series(pd.to_timedelta([1], unit="s")),
    ],
    ids=lambda column: str(column.dtype),
)
def test_to_table_dtypes_outside_the_contracts_are_refused_by_name(column):
    with pytest.raises(StorageError, match=re.escape(f"'x' has dtype {column.dtype}")):
        to_table(pd.DataFrame({"x": column}))


def test_to_table_repeated_column_names_are_refused():
    frame = pd.DataFrame([[1.0, 2.0]], columns=["x", "x"])
    with pytest.raises(StorageError, match=r"\['x'\] occur more than once"):
        to_table(frame)
