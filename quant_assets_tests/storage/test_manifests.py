import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from quant_assets.core.errors import IntegrityError, StorageError
from quant_assets.storage.manifests import (
    MANIFEST_VERSION,
    Manifest,
    environment,
    environment_digest,
)
from quant_assets_tests.storage.samples import record

PATH = Path("/lake/bars/v/w.json")


def manifest(**changes):
    values = {
        "asset": "bars",
        "venue": "v",
        "window": "2020-01-01",
        "kind": "series",
        "contract": "Bars",
        "columns": {"ts": "datetime64[us, UTC]"},
        "sha256": "a" * 64,
        "data_sha256": "b" * 64,
        "size": 10,
        "rows": 2,
        "fingerprint": "f" * 64,
        "code_version": "c" * 64,
        "config_digest": "d" * 64,
        "inputs": {"raw_bars": {"2020-01-01": "e" * 64}},
        "run": record(),
    }
    return Manifest(**{**values, **changes})


def test_to_bytes_reads_back_equal_and_is_plain_json():
    one = manifest(stamps=["SURVIVORS ONLY: ä"], files={"tear_sheet.html": "9" * 64})
    data = one.to_bytes()
    assert Manifest.from_bytes(data, PATH) == one
    assert json.loads(data)["asset"] == "bars"
    assert data.count(b"\n") == 1
    assert one.to_bytes() == data


def test_columns_keep_their_order_in_the_file():
    columns = {"ts": "datetime64[us, UTC]", "symbol": "str", "close": "float64"}
    data = manifest(columns=columns).to_bytes()
    assert list(Manifest.from_bytes(data, PATH).columns.items()) == list(columns.items())
    assert json.loads(data)["columns"] == [list(pair) for pair in columns.items()]


def test_from_bytes_of_version_1_reads_columns_sorted_by_name():
    new = manifest(columns={"ts": "datetime64[us, UTC]", "close": "float64"})
    facts = {**json.loads(new.to_bytes()), "version": 1, "columns": new.columns}
    del facts["check"]
    body = json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
    check = hashlib.sha256(body).hexdigest().encode()
    old = Manifest.from_bytes(body[:-1] + b',"check":"' + check + b'"}\n', PATH)
    assert list(old.columns) == ["close", "ts"]
    assert old == new.model_copy(update={"version": 1})


@pytest.mark.parametrize("columns", [[1], [["ts"]], [["ts", 1]]])
def test_from_bytes_columns_that_are_no_pairs_are_refused(columns):
    data = json.dumps({**json.loads(manifest().to_bytes()), "columns": columns}).encode()
    with pytest.raises(IntegrityError, match=r"first: \('columns'"):
        Manifest.from_bytes(data, PATH)


def test_from_bytes_any_flipped_bit_is_noticed():
    data = manifest().to_bytes()
    for place in range(len(data)):
        for bit in (0, 5):
            damaged = bytearray(data)
            damaged[place] ^= 1 << bit
            with pytest.raises(IntegrityError, match=str(PATH)):
                Manifest.from_bytes(bytes(damaged), PATH)


@pytest.mark.parametrize("keep", [0, 1, 100, -1, -2])
def test_from_bytes_truncated_manifest_is_noticed(keep):
    with pytest.raises(IntegrityError, match=r"w\.json.*Delete it"):
        Manifest.from_bytes(manifest().to_bytes()[:keep], PATH)


def test_from_bytes_edited_by_hand_is_noticed():
    data = manifest().to_bytes().replace(b'"rows":2', b'"rows":3')
    with pytest.raises(IntegrityError, match="changed after it was written"):
        Manifest.from_bytes(data, PATH)


def test_from_bytes_without_a_check_is_refused():
    data = manifest().model_dump_json().encode()
    with pytest.raises(IntegrityError, match="no check at its end"):
        Manifest.from_bytes(data, PATH)


def test_from_bytes_telemetry_that_looks_like_the_check_does_not_confuse():
    odd = manifest(run=record(telemetry=[{"a": 1, "check": "x", "z": ',"check":"'}]))
    assert Manifest.from_bytes(odd.to_bytes(), PATH) == odd


def test_from_bytes_of_a_newer_version_asks_for_an_upgrade():
    data = json.dumps({"version": MANIFEST_VERSION + 1, "new_field": 1}).encode()
    with pytest.raises(StorageError, match="upgrade quant_assets") as caught:
        Manifest.from_bytes(data, PATH)
    assert not isinstance(caught.value, IntegrityError)


def test_hash_does_not_depend_on_the_run_record():
    other = record(run_id="r2", seconds=9.0, environment="other", telemetry=[{"a": 1}])
    assert manifest().hash() == manifest(run=other).hash()
    assert manifest().to_bytes() != manifest(run=other).to_bytes()


def test_hash_depends_on_every_other_field():
    changes = {"sha256": "0" * 64, "rows": 3, "partial": True, "inputs": {}, "stamps": ["x"]}
    hashes = {manifest().hash()} | {manifest(**{k: v}).hash() for k, v in changes.items()}
    assert len(hashes) == len(changes) + 1


def test_to_bytes_numpy_values_in_telemetry_become_plain_ones():
    row = {"n": np.int64(3), "x": np.float64(0.5), "ok": np.bool_(True), "path": PATH}
    data = manifest(run=record(telemetry=[row])).to_bytes()
    told = Manifest.from_bytes(data, PATH).run.telemetry
    assert told == [{"n": 3, "x": 0.5, "ok": True, "path": str(PATH)}]


def test_environment_names_what_could_change_numbers():
    assert {"python", "machine", "numpy", "pandas", "pyarrow"} <= environment().keys()
    assert environment_digest() == environment_digest()
