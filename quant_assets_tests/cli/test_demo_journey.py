"""The main job as a user meets it: demo, look around, break something, mend it.

The tests of this file share one data root and run in order, like a session at a terminal.
"""

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from quant_assets import load, query
from quant_assets.core.errors import MissingCellError
from quant_assets.core.venues import OptimizationParameters
from quant_assets.quant.optimization.entrants import entrant_classes
from quant_assets_tests.cli.program import Outcome, python, quant_assets
from quant_assets_tests.fixtures.venue_files import write_venue

pytest.importorskip("skfolio", reason="the demo's prices come with the extra `demo`")
pytestmark = [pytest.mark.slow(seconds=100), pytest.mark.xdist_group("demo")]

WINDOWS = ["1991-01-01", "1991-02-01", "1991-03-01"]
SHOWN = """
import json, sys
import dagster as dg
from quant_assets.orchestration.instance import open_instance
from quant_assets.orchestration.workspace import current_workspace

with open_instance(current_workspace()) as instance:
    records = instance.fetch_materializations(dg.AssetKey(sys.argv[1]), limit=100).records
    found = [record.asset_materialization for record in records]
    facts = {m.partition: {k: str(v.value)[:40] for k, v in m.metadata.items()} for m in found}
    print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journey") / "data"


@pytest.fixture(scope="module")
def demo(root: Path) -> Outcome:
    return quant_assets(root, "demo", "--windows", "3", "--json", QUANT_ASSETS_DETAIL="standard")


def test_demo_prints_a_leaderboard_against_the_benchmark_and_names_the_tear_sheet(demo: Outcome):
    assert demo.code == 0, demo.stderr
    facts = demo.json()
    board = pd.DataFrame(facts["leaderboard"])
    assert board.loc[board["rank"] == 0, "entrant"].tolist() == ["sp500_index"]
    # every entrant by default, the champion, and the index
    assert len(board) == len(entrant_classes(OptimizationParameters())) + 2
    assert set(board["n_windows"]) == {3}
    assert Path(facts["tear_sheet"]).is_file()
    assert any("SURVIVORS ONLY" in stamp for stamp in facts["stamps"])


def test_demo_benchmark_return_is_that_of_the_index(demo: Outcome):
    from skfolio.datasets import load_sp500_index

    index = load_sp500_index()["SP500"].pct_change()
    own = index["1991-01-01":"1991-03-31"]
    expected = (1 + own).prod() ** (252 / len(own)) - 1
    board = pd.DataFrame(demo.json()["leaderboard"])
    assert board.loc[0, "cagr_net"] == pytest.approx(expected, rel=1e-9)


def test_demo_shows_each_partition_with_its_own_facts_and_the_newest_with_a_picture(
    demo: Outcome, root: Path
):
    assert demo.code == 0
    shown = python(root, "-c", SHOWN, "quality").json()
    assert len(shown) == 15
    for partition, facts in shown.items():
        frame = load("quality", venue="sp500_demo", window=partition.split("|")[1], root=root)
        assert facts["dagster/row_count"] == str(len(frame))
        assert facts["symbols"] == "20"
        assert facts["span"].startswith(f"{frame['ts'].iloc[0]:%Y-%m-%d}")
        assert ("picture" in facts) == (partition == f"sp500_demo|{WINDOWS[-1]}")


def test_equal_weight_net_equity_is_reproduced_from_prices_alone(demo: Outcome, root: Path):
    """An independent ledger in pandas: equal weights of the candidates, fills at the next close."""
    from skfolio.datasets import load_sp500_dataset

    assert demo.code == 0
    equity = load("equity", venue="sp500_demo", window="1991-01-01...1991-03-01", root=root)
    own = equity[equity["entrant"] == "equal_weight"]["equity"]
    prices = load_sp500_dataset()["1991-01-01":"1991-03-31"]
    months = pd.Series(prices.index.month, index=prices.index)
    rebalances = months != months.shift()
    cash, quantity = 1_000_000.0, pd.Series(0.0, index=prices.columns)
    expected = []
    for day, price in prices.iterrows():
        if rebalances[day]:
            pool = load("candidate_pool", venue="sp500_demo", window=f"{day:%Y-%m}-01", root=root)
            share = prices.columns.isin(pool.loc[pool["is_candidate"], "symbol"])
            share = pd.Series(share / share.sum(), index=prices.columns)
            quantity = rebalanced(cash + (quantity * price).sum(), share, quantity, price)
            cash = 0.0
        expected.append(cash + (quantity * price).sum())
    assert own.to_numpy() == pytest.approx(expected, rel=1e-9)


def rebalanced(wealth: float, share: pd.Series, quantity: pd.Series, price: pd.Series) -> pd.Series:
    """Shares of wealth after costs, by fixed point: 5 bps slippage, 1 bp fee on what is paid."""
    after = wealth
    for _ in range(200):
        traded = after * share / price - quantity
        buys, sells = (traded.clip(lower=0) * price).sum(), (-traded.clip(upper=0) * price).sum()
        slippage = 0.0005 * (buys + sells)
        fees = 0.0001 * (buys * 1.0005 + sells * 0.9995)
        after = wealth - slippage - fees
    return after * share / price


def test_second_demo_plans_from_manifests_and_launches_nothing(demo: Outcome, root: Path):
    assert demo.code == 0
    runs = sorted(path.name for path in (root / "runs").iterdir())
    again = quant_assets(root, "demo", "--windows", "3")
    assert again.code == 0
    assert "nothing changed: nothing to compute" in again.stdout
    assert sorted(path.name for path in (root / "runs").iterdir()) == runs


def test_demo_with_one_more_window_keeps_every_finished_cell(demo: Outcome, root: Path):
    before = {p: p.read_bytes() for p in root.glob("lake/*/sp500_demo/19*.json")}
    more = quant_assets(root, "demo", "--windows", "4")
    assert more.code == 0, more.stderr
    assert {p: p.read_bytes() for p in before} == before


def test_run_manifest_tells_plan_hashes_timings_and_guards(demo: Outcome, root: Path):
    manifests = sorted(root.glob("runs/*/run_manifest.json"))
    record = json.loads(manifests[0].read_text())
    assert record["guards"] == {"KEEP_RESEARCH": True}
    assert record["planned_stage_instances"] == [
        f"{s}--sp500_demo" for s in record["planned_stages"]
    ]
    assert record["not_done"] == []
    assert record["failures"] == []
    assert set(record["spec_hashes"]) == set(record["planned_stages"])
    assert record["artifact_cutoff_utc"] <= record["ended_at"]
    for stage, seconds in record["logical_timings"].items():
        assert seconds == pytest.approx(record["instance_timings"][f"{stage}--sp500_demo"])


def test_status_is_fresh_then_names_a_missing_cell_and_the_command_that_mends_it(root: Path):
    rows = quant_assets(root, "status", "--venue", "sp500_demo", "--json").json()
    assert {row["pillar"] for row in rows} >= {"ingestion", "optimization", "reporting"}
    assert sum(row["stale"] + row["missing"] + row["failed"] for row in rows) == 0
    (root / "lake/portfolio_weights/sp500_demo/1991-02-01.json").unlink()
    broken = quant_assets(root, "status", "--venue", "sp500_demo")
    assert "portfolio_weights 1991-02-01: never computed" in broken.stdout
    assert "→ quant-assets backfill --venue sp500_demo" in broken.stdout


def test_backfill_mends_the_hole_and_nothing_else_changes(root: Path):
    equity = load("equity", venue="sp500_demo", root=root)
    mended = quant_assets(
        root, "backfill", "--venue", "sp500_demo", "--windows", "1990-01-01...1991-04-01"
    )
    assert mended.code == 0, mended.stderr
    pd.testing.assert_frame_equal(load("equity", venue="sp500_demo", root=root), equity)
    assert quant_assets(root, "verify").code == 0


def test_explain_walks_a_weight_back_to_raw_rows_known_before_it(root: Path):
    arguments = ["portfolio_weights", "--window", "1991-02-01", "--where", "entrant=champion"]
    found = quant_assets(root, "explain", *arguments, "--where", "symbol=AAPL", "--json").json()
    assert found["rows"][0]["symbol"] == "AAPL"
    raw = next(e for e in found["upstream"] if e["asset"] == "raw_bars")
    assert raw["verified"]
    assert raw["available_at"] <= found["known_at"]


def test_query_and_load_agree(root: Path):
    frame = query("""SELECT count(*) AS n FROM equity WHERE "window" = '1991-02-01'""", root=root)
    assert frame["n"].tolist() == [
        len(load("equity", venue="sp500_demo", window="1991-02-01", root=root))
    ]
    printed = quant_assets(root, "query", "SELECT 40 + 2 AS answer", "--json").json()
    assert printed == [{"answer": 42}]


def test_load_of_something_absent_lists_what_there_is(root: Path):
    with pytest.raises(
        MissingCellError, match=r"no cells of 'equity' .*stored are 16 windows from"
    ):
        load("equity", venue="sp500_demo", window="1890-01-01", root=root)


def test_verify_names_a_flipped_bit_and_backfill_force_mends_it(root: Path):
    victim = (root / "lake/bars/sp500_demo/1990-05-01.parquet").resolve()
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    os.chmod(victim, 0o644)
    victim.write_bytes(bytes(data))
    report = quant_assets(root, "verify", "--json")
    assert report.code == 1
    assert any("bars sp500_demo|1990-05-01" in p["cell"] for p in report.json()["problems"])
    window = "1990-05-01...1990-05-01"
    mended = quant_assets(
        root,
        "backfill",
        "--venue",
        "sp500_demo",
        "--windows",
        window,
        "--assets",
        "sessions,raw_bars,bars",
        "--force",
    )
    assert mended.code == 0, mended.stderr
    assert quant_assets(root, "verify").code == 0


def test_replay_in_one_go_gives_the_bytes_of_the_run_that_was_split_and_mended(root: Path):
    replayed = quant_assets(root, "verify", "--replay", "--venue", "sp500_demo", "--json")
    assert replayed.code == 0, replayed.stdout
    assert replayed.json()["compared"] == "bytes"
    assert replayed.json()["cells"] > 300


def test_telemetry_of_a_run_is_parquet_with_solver_and_importance_rows(root: Path):
    files = sorted(root.glob("runs/*/telemetry/*.parquet"))
    logged = pd.concat([pd.read_parquet(path) for path in files], ignore_index=True)
    solvers = logged[(logged["asset"] == "target_weights") & (logged["kind"] == "solver")]
    assert {"status", "residual", "iterations", "seconds"} <= set(solvers["name"])
    importance = logged[logged["kind"] == "feature_importance"]
    assert (importance.loc[importance["scope"] == "ridge", "value"] >= 0).all()


def test_telemetry_of_a_launch_lies_beside_its_manifest_and_verify_misses_nothing(root: Path):
    folders = {path.parent.parent for path in root.glob("runs/*/telemetry/*.parquet")}
    assert folders
    for folder in folders:
        record = json.loads((folder / "run_manifest.json").read_text())
        files = folder.glob("telemetry/*.parquet")
        assert set(record["artifacts"]) == {f"telemetry/{path.name}" for path in files}
    report = quant_assets(root, "verify", "--json")
    assert (report.code, report.json()["warnings"]) == (0, [])


def test_doctor_finds_that_dagster_knows_less_and_repairs_it(root: Path):
    assert quant_assets(root, "doctor").stdout.strip() == "nothing to mend"
    (root / "dagster/event_log.db").unlink()
    for extra in root.glob("dagster/event_log.db-*"):
        extra.unlink()
    lost = quant_assets(root, "doctor")
    assert "Dagster does not show" in lost.stdout
    assert quant_assets(root, "doctor", "--repair").code == 0
    assert quant_assets(root, "doctor").stdout.strip() == "nothing to mend"


def test_gc_removes_only_what_no_manifest_names(root: Path):
    report = quant_assets(root, "gc", "--json").json()
    assert report["dry_run"]
    assert report["kept"] > 100
    assert quant_assets(root, "verify").code == 0


def test_removing_a_venue_file_leaves_its_cells_readable(root: Path):
    folder = root.parent / "venues"
    path = write_venue(folder, "gone", first="2024-01-01", last="2024-01-31", training=1)
    environment = {"QUANT_ASSETS_VENUES_FOLDER": str(folder)}
    made = quant_assets(
        root, "backfill", "--venue", "gone", "--assets", "sessions,raw_bars,bars", **environment
    )
    assert made.code == 0, made.stderr
    path.unlink()
    assert quant_assets(root, "status", **environment).code == 0
    assert len(load("bars", venue="gone", window="2024-01-01", root=root)) > 0
