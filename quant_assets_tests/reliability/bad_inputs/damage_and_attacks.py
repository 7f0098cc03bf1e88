"""Rows 31 to 41: damaged, empty and endless files, and what a hostile one would like to do."""

import ast
import io
import json
import os
import pickle
import re
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import quant_assets
from quant_assets.adapters.files.csv_rows import csv_rows
from quant_assets.adapters.files.limits import Limits
from quant_assets.adapters.files.opening import open_source
from quant_assets.adapters.providers.base import PACKAGE as PROVIDERS
from quant_assets.adapters.providers.base import Provider, parse_settings, provider_for
from quant_assets.core.errors import ConfigError, DataError, IntegrityError, StorageError
from quant_assets.core.registry import discover
from quant_assets.core.spreadsheets import spreadsheet_csv
from quant_assets.core.windows import Grid
from quant_assets.core.yaml_loader import load_yaml
from quant_assets.operations.alerts import webhook
from quant_assets.reporting.page import TEMPLATE, content_policy, script_safe_json, template_text
from quant_assets.storage.catalog import run_query
from quant_assets.storage.paths import Cell, Layout, decode, encode
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets.storage.sources import SourceStore
from quant_assets_tests.adapters.layouts.reading import text_file
from quant_assets_tests.adapters.venue_models import make_venue
from quant_assets_tests.operations.intake.deliveries import files_venue
from quant_assets_tests.reliability.bad_inputs.landing import (
    NEW_YORK,
    SPAN,
    Landing,
    bar,
    table,
)
from quant_assets_tests.storage.samples import bars as stored_bars
from quant_assets_tests.storage.samples import commit, flip_bit

MARCH = Grid().window("2024-03-01")
UNPICKLERS = {"pickle", "joblib", "dill", "cloudpickle", "marshal", "shelve", "jsonpickle"}
SUSPICIOUS = re.compile(
    r"\b(eval|exec|\w*pickle\w*|joblib|dill|marshal|shelve|system|yaml\.\w*load|shell|to_csv|"
    r"to_excel|writer|DictWriter|Environment)\b"
)
PLANTED = "hunter2-planted-key"
HOSTILE = ["../../x", "a/b", "/etc/passwd", "a\x00b", "..", ".hidden", "CON", "nul.txt", "a\nb"]


def parquet(n_rows: int = 5) -> bytes:
    ts = pd.date_range("2024-03-01", periods=n_rows, freq="h", tz="UTC")
    prices = dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0)
    frame = pd.DataFrame({"ts": ts, "symbol": "BTC/USDT:USDT"} | prices)
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


@cache
def sources() -> list[tuple[Path, list[ast.AST]]]:
    """Modules of the package that name something dangerous, as the nodes of their trees."""
    modules = sorted(Path(quant_assets.__file__).parent.rglob("*.py"))
    texts = {path: path.read_text(encoding="utf-8") for path in modules}
    found = {path: text for path, text in texts.items() if SUSPICIOUS.search(text)}
    assert found
    return [(path, list(ast.walk(ast.parse(text)))) for path, text in found.items()]


def calls(nodes: list[ast.AST]) -> Iterator[tuple[str, dict[str, object], int]]:
    """Dotted name, constant keywords and line of every call."""
    for node in nodes:
        if isinstance(node, ast.Call):
            words = {
                k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)
            }
            yield dotted(node.func), {str(name): v for name, v in words.items()}, node.lineno


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an expression, empty for what has no name."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def imported(nodes: list[ast.AST]) -> set[str]:
    """Top packages that a module imports."""
    found = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    found |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in found}


def case_31_truncated_parquet_or_wrong_magic(landing: Landing) -> None:
    """Refuse; what was there before stays."""
    whole = parquet()
    assert len(landing.drop(whole, name="good.parquet").bars) == 5
    for name, content in (
        ("tail.parquet", whole[:-9]),
        ("half.parquet", whole[: len(whole) // 2]),
        ("start.parquet", whole[:4]),
        ("magic.parquet", b"XXXX" + whole[4:-4] + b"XXXX"),
    ):
        landing.drop(content, name=name).refused(name)
    provider = provider_for(files_venue(), landing.store)
    assert len(provider.fetch("bars", MARCH)) == 5


def case_32_bit_rot(landing: Landing) -> None:
    """The hash is checked on every read; deliveries and snapshots alike."""
    found = landing.drop(table(map(bar, range(5))))
    assert found.receipt is not None
    [chunk] = landing.store.chunks("bars", *SPAN)
    [path] = [p for p in landing.store.folder.rglob("*.parquet") if "bars" in str(p)]
    flip_bit(path, path.stat().st_size // 2)
    fresh = SourceStore(landing.store.layout, landing.store.venue)
    with pytest.raises(IntegrityError, match="is not what its receipt 1 says"):
        fresh.read(chunk)
    snapshots = SnapshotStore(landing.folder / "lake")
    cell = Cell("bars", "v", "2020-01-01")
    manifest = commit(snapshots, cell, stored_bars())
    flip_bit(snapshots.layout.object(manifest.sha256), 200)
    with pytest.raises(IntegrityError):
        SnapshotStore(landing.folder / "lake").read(cell)


def case_33_empty_file(landing: Landing) -> None:
    """Refuse, unless the one who asks says that nothing may be there."""
    landing.drop(b"", name="empty.csv").refused("empty.csv: no data", "Fetch it again")
    landing.drop(table([]), name="header.csv").refused("header.csv: no data", "Fetch it again")
    landing.drop(parquet(0), name="rows.parquet").refused("rows.parquet: 0 rows", "Fetch it again")
    nothing = landing.folder / "nothing.csv"
    nothing.write_bytes(b"")
    assert list(open_source(nothing, allow_empty=True)) == []


def case_34_huge_file_or_bomb(landing: Landing) -> None:
    """Limits on bytes, ratio, rows and columns; everything is read as a stream."""
    bomb = zipped("bars.csv", table([bar(0)] * 400_000).encode())
    assert len(bomb) < 200_000
    landing.drop(bomb, name="bomb.zip").refused("bomb.zip", "above the limit of 100 to 1")
    wide = table([bar(0) + ",1" * 600], header="ts,symbol,open,high,low,close,volume" + ",x" * 600)
    landing.drop(wide, name="wide.csv").refused("wide.csv")
    file = text_file("long.csv", "a,b", *["1,2"] * 50)
    with pytest.raises(DataError, match=r"long.csv: .*lines.*Cut it into smaller"):
        list(csv_rows(file, limits=Limits(rows=10)))
    with pytest.raises(DataError, match=r"long.csv: 2 columns, the limit is 1"):
        list(csv_rows(file, limits=Limits(columns=1)))
    large = landing.folder / "large.csv"
    large.write_bytes(b"a" * 1000)
    with pytest.raises(DataError, match=r"large.csv: 1,000 bytes, the limit of one delivery is 99"):
        list(open_source(large, limits=Limits(unpacked_bytes=99)))


def case_35_path_traversal(landing: Landing) -> None:
    """Names are escaped, reversibly, and never used raw; archives cannot lead out."""
    for name in HOSTILE:
        text = encode(name)
        assert decode(text) == name
        assert re.fullmatch(r"[A-Za-z0-9_.%-]+", text)
        assert not text.startswith(".")
        assert text.upper() not in {"CON", "NUL.TXT"}
        assert Layout(landing.folder).view(Cell(name, name, name)).parents[3] == landing.folder
    with pytest.raises(StorageError, match="300 characters is too long"):
        encode("x" * 300)
    evil = zipped("../../evil.csv", table([bar(0)]).encode())
    landing.drop(evil, name="evil.zip").refused("evil.zip", "no plain file name")
    symbols = table([bar(0, symbol=symbol) for symbol in ("../../x", "a/b", "/etc/passwd", "CON")])
    landing.drop(symbols, name="symbols.csv", **NEW_YORK)
    above = [landing.folder.parent, landing.folder.parent.parent, landing.folder.parents[2]]
    for name in ("evil.csv", "x", "b", "passwd", "CON"):
        assert not list(landing.folder.rglob(name))
        assert not [folder for folder in above if (folder / name).exists()]


def case_36_yaml_traps(landing: Landing) -> None:
    """A bounded safe loader with YAML 1.2 scalars; errors name the line."""
    path = landing.folder / "venue.yaml"
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 8):
        bomb += f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n"
    for text, words in (
        (bomb, r"venue.yaml:\d+:\d+: aliases expand to more than 10,000 nodes"),
        ("[" * 2000 + "]" * 2000, r"venue.yaml:1:51: nested deeper than 50 levels"),
        ("a: 1\nb: 2\na: 3\n", r"venue.yaml:3:1: the key 'a' is already set on line 1"),
        ("a: !!python/object/apply:os.system [id]", r"venue.yaml:1:\d+: the tag .* is not allowed"),
        ("x" * 1_000_001, r"venue.yaml: larger than 1,000,000 bytes"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=words):
            load_yaml(path)
    path.write_text("a: NO\nb: 12:30\nc: 0777\nd: 1e-3\ne: 2020-01-01\n")
    assert load_yaml(path).data == {"a": "NO", "b": "12:30", "c": 777, "d": 1e-3, "e": "2020-01-01"}


class Executed:
    """Leaves a mark on the disk when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.mark),)


def case_37_pickled_models(landing: Landing) -> None:
    """Refused: no code of the package can unpickle, or run text as code."""
    mark = landing.folder / "executed"
    landing.drop(pickle.dumps(Executed(mark)), name="model.pkl").refused("model.pkl")
    landing.drop(pickle.dumps(Executed(mark)), name="bars.parquet").refused("bars.parquet")
    buffer = io.BytesIO()
    np.save(buffer, np.array([Executed(mark)], dtype=object), allow_pickle=True)
    landing.drop(buffer.getvalue(), name="bars.npy").refused("bars.npy")
    assert not mark.exists()
    banned = {"eval", "exec", "yaml.load", "yaml.unsafe_load", "pd.read_pickle", "os.system"}
    for path, nodes in sources():
        for name, words, line in calls(nodes):
            assert name not in banned, f"{path}:{line}"
            assert words.get("shell") is not True, f"{path}:{line}"
            assert words.get("allow_pickle") is not True, f"{path}:{line}"
        assert not imported(nodes) & UNPICKLERS, path


def case_38_formulas_in_names(landing: Landing) -> None:
    """A quote in front of it in an exported table; stored text stays as it was."""
    symbols = ["=1+1", "@SUM(A1)", "+1", "-cmd"]
    found = landing.drop(table([bar(0, symbol=symbol) for symbol in symbols]), **NEW_YORK)
    assert set(found.bars.symbol) == set(symbols)
    exported = spreadsheet_csv(found.bars[["symbol"]])
    assert exported.split() == ["symbol", *(f"'{symbol}" for symbol in found.bars.symbol)]
    writers = {
        path.name
        for path, nodes in sources()
        for name, _, _ in calls(nodes)
        if name.split(".")[-1] in {"to_csv", "to_excel", "DictWriter"} or name == "csv.writer"
    }
    answers_as_sent = {"yahoo_finance.py"}  # kept in the source store, for no one to open
    assert writers <= {"spreadsheets.py"} | answers_as_sent


def case_39_html_in_names(landing: Landing) -> None:
    """Escaped everywhere; a policy lets no other script run and nothing be fetched."""
    evil = "</script><script>alert(1)</script>"
    assert not set("<>&") & set(script_safe_json({"name": evil}))
    assert json.loads(script_safe_json({"name": evil})) == {"name": evil}
    policy = content_policy("own()")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert 'http-equiv="Content-Security-Policy" content="{{ policy }}"' in template_text(TEMPLATE)
    for path, nodes in sources():
        for name, words, line in calls(nodes):
            if name.split(".")[-1] == "Environment":
                assert words.get("autoescape") is True, f"{path}:{line}"


def case_40_sql_in_names(landing: Landing) -> None:
    """Names are values; the user's SQL reaches no file and changes nothing."""
    symbol = "'; DROP TABLE bars; --"
    store = SnapshotStore(landing.folder)
    frame = stored_bars().assign(symbol=pd.Series([symbol] * 6, dtype="str"))
    commit(store, Cell("bars", symbol, "2020-01-01"), frame)
    found = run_query(landing.folder, "SELECT DISTINCT symbol, venue FROM bars")
    assert found.to_numpy().tolist() == [[symbol, symbol]]
    secret = landing.folder / "secret.csv"
    secret.write_text("a\n1\n")
    before = sorted(landing.folder.rglob("*"))
    for sql in (
        "DROP TABLE bars",
        f"SELECT * FROM bars WHERE symbol = '{symbol}",  # noqa: S608 - hostile on purpose
        f"SELECT * FROM read_csv('{secret}')",  # noqa: S608 - hostile on purpose
        f"COPY (SELECT 1) TO '{landing.folder}/out.csv'",
        "SET enable_external_access=true",
    ):
        with pytest.raises(ConfigError):
            run_query(landing.folder, sql)
    assert sorted(landing.folder.rglob("*")) == before
    assert len(run_query(landing.folder, "SELECT * FROM bars")) == 6


def case_41_secrets(landing: Landing) -> None:
    """Only names of environment variables are settings; a planted key is written nowhere."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ALERTS_AT", f"ftp://{PLANTED}.example/x")
        environment.setenv("EXCHANGE_SECRET", PLANTED)
        _plant(landing)
    written = [path for path in landing.folder.rglob("*") if path.is_file()]
    assert len(written) > 3
    assert not [path for path in written if PLANTED.encode() in path.read_bytes()]


def _plant(landing: Landing) -> None:
    send = webhook("ALERTS_AT")
    assert send is not None
    with pytest.raises(Exception, match="ALERTS_AT is not an http") as error:
        send({})
    assert PLANTED not in str(error.value)
    for name, provider in discover(PROVIDERS, Provider).items():
        venue = make_venue("simulated", first="2024-01-01", last="2024-02-01")
        spec = venue.provider.model_copy(update={"name": name, "settings": {"api_key": PLANTED}})
        with pytest.raises(ConfigError, match="api_key: unknown key") as refused:
            parse_settings(venue.model_copy(update={"provider": spec}), provider.settings_model)
        assert PLANTED not in str(refused.value)
    landing.drop(table(map(bar, range(3))))
    landing.drop("what is this", name="odd.csv").refused("odd.csv")
