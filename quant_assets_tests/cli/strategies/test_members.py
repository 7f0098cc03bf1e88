"""`--universe` of the strategy command: members of a file, of the venue, and of a strategy file."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from quant_assets.cli.main import _exit_code, cli
from quant_assets.cli.strategies.bars import Found, Wanted, find_bars
from quant_assets.cli.strategies.members import Members, with_members
from quant_assets.core.config import Settings
from quant_assets.core.errors import ConfigError, DataError, MissingCellError
from quant_assets.quant.market.universe_doubts import universe_doubts
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets_tests.cli.strategies.files import IDEA, write_bars, write_idea
from quant_assets_tests.storage.samples import commit

pytestmark = pytest.mark.slow

ROWS = (
    "symbol,entered,left\nAAA,2021-01-01,2022-06-01\nBBB,2022-05-01,\nGONE,2022-01-01,2022-02-01\n"
)


def run(folder: Path, *words: str) -> tuple[int, str]:
    environment = {"QUANT_ASSETS_DATA_ROOT": str(folder / "data")}
    result = CliRunner().invoke(cli, ["strategy", *words], env=environment)
    code = 0 if result.exception is None else _exit_code(result.exception)
    return code, result.output if code == 0 else f"{result.output}{result.exception}"


def members_file(folder: Path, text: str = ROWS) -> Path:
    path = folder / "members.csv"
    path.write_text(text, encoding="utf-8")
    return path


def found_of(folder: Path, **wanted) -> tuple[Found, Wanted]:
    asked = Wanted(file=write_bars(folder), **wanted)
    return find_bars(asked, Settings(data_root=folder / "data")), asked


def test_a_backtest_of_members_trades_them_alone(tmp_path: Path):
    words = ("backtest", str(write_idea(tmp_path)), "--bars", str(write_bars(tmp_path)))
    words += ("--no-report", "--json")
    members = ("--universe", str(members_file(tmp_path)))
    answers = {}
    for name, more in (
        ("all", ()),
        ("members", members),
        ("kept", (*members, "--on-exit", "keep")),
    ):
        code, text = run(tmp_path, *words, *more)
        assert code == 0, text
        answers[name] = json.loads(text)
    hashes = {name: answer["hashes"] for name, answer in answers.items()}
    assert len({one["bars"] for one in hashes.values()}) == 3
    assert len({one["run"] for one in hashes.values()}) == 3
    said = "\n".join(answers["members"]["assumptions"])
    assert (
        "members of members.csv, as they were known at each decision: 1 to 2 of 2 symbols" in said
    )
    assert "there are no bars of GONE" in said


def test_members_of_a_file_are_those_of_the_library(tmp_path: Path):
    found, wanted = found_of(tmp_path)
    some = with_members(found, Members(str(members_file(tmp_path))), wanted, Settings())
    assert some.panel.universe is not None
    assert some.panel.universe.on_exit == "close"
    known = pd.DatetimeIndex(found.panel.available_at)
    assert (some.panel.members[:, 0] == (known < "2022-06-01")).all()
    assert (some.panel.members[:, 1] == (known >= "2022-05-01")).all()
    assert some.digest != found.digest
    one, wanted = found_of(tmp_path, symbols=("AAA",))
    one = with_members(one, Members(str(members_file(tmp_path)), "keep"), wanted, Settings())
    assert one.panel.universe is not None
    assert (one.panel.universe.on_exit, one.panel.universe.absent) == ("keep", ())
    assert universe_doubts(one.panel) == ()


def test_members_of_a_venue_are_its_stored_universe(tmp_path: Path):
    found, _ = found_of(tmp_path)
    wanted, settings = Wanted(venue="sp500_demo"), Settings(data_root=tmp_path / "data")
    with pytest.raises(MissingCellError, match="backfill --venue sp500_demo --assets universe"):
        with_members(found, Members("venue"), wanted, settings)
    start = pd.Timestamp("2022-03-01", tz="UTC")
    moments = pd.DatetimeIndex([start] * 2).as_unit("us")
    rows = pd.DataFrame(
        {
            "decided_at": moments,
            "symbol": pd.array(["AAA", "BBB"], dtype="str"),
            "first_bar": moments,
            "last_bar": moments,
            "n_bars": np.ones(2, dtype=np.int64),
            "is_listed": [True, False],
        }
    )
    store = SnapshotStore(settings.data_root)
    commit(store, Cell("universe", "sp500_demo", "2022-03-01"), rows)
    some = with_members(found, Members("venue"), wanted, settings)
    opened = pd.DatetimeIndex(found.panel.ts, tz="UTC")
    assert (some.panel.members[:, 0] == (opened >= start)).all()
    assert not some.panel.members[:, 1].any()
    assert some.notes[-1].startswith("members of sp500_demo, as they were known")


def test_a_strategy_file_asks_for_the_members_of_its_venue(tmp_path: Path):
    text = IDEA.replace("backtest:\n", "backtest:\n  universe: {from: venue}\n")
    words = ("backtest", str(write_idea(tmp_path, text)), "--bars", str(write_bars(tmp_path)))
    code, said = run(tmp_path, *words, "--no-report")
    assert code == _exit_code(ConfigError("x"))
    assert "the members of which venue? give --venue NAME, or --universe FILE" in said
    code, said = run(tmp_path, *words, "--no-report", "--universe", str(members_file(tmp_path)))
    assert code == 0, said
    code, said = run(tmp_path, *words, "--no-report", "--any-dates")
    assert code == 0, said


def test_mistakes_are_told_with_what_to_do(tmp_path: Path):
    found, wanted = found_of(tmp_path)
    with pytest.raises(ConfigError, match="give --universe as well"):
        with_members(found, Members(None, "keep"), wanted, Settings())
    with pytest.raises(DataError, match="there is no such file"):
        with_members(found, Members("nowhere.csv"), wanted, Settings())
    today = members_file(tmp_path, "symbol\nAAA\nBBB\n")
    with pytest.raises(DataError, match="since when"):
        with_members(found, Members(str(today)), wanted, Settings())
