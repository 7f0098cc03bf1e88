import inspect
import json
import sys

import pytest

from quant_assets.core.errors import MissingCellError, StorageError
from quant_assets.storage.lineage import explain
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets_tests.storage.lakes import WINDOWS, build, cell, read
from quant_assets_tests.storage.samples import bars, commit, facts, flip_bit

pytestmark = pytest.mark.slow

LAST = WINDOWS[2]


@pytest.fixture
def store(root):
    store = SnapshotStore(root)
    build(store)
    return store


def names(node):
    return [str(found.cell) for found in node.walk()]


def test_explain_goes_back_to_raw_cells_and_shares_versions(store):
    root = explain(store, cell("portfolio_weights", LAST))
    found = names(root)
    assert len(found) == len(set(found)) == 10
    assert sorted(name for name in found if name.startswith("raw_bars")) == [
        "raw_bars v|2020-01-01",
        "raw_bars v|2020-02-01",
    ]
    assert all(node.verified and not node.superseded for node in root.walk())
    by_name = {str(node.cell): node for node in root.walk()}
    raw = by_name["raw_bars v|2020-01-01"]
    assert (raw.rows, raw.source_digest, raw.inputs) == (8, "5" * 64, ())
    assert raw.available_at_max == "2020-01-04T21:00:00+00:00"
    returns = by_name["returns v|2020-01-01"]
    readers = [node for node in root.walk() if returns in node.inputs]
    assert len(readers) == 2  # the targets of both decisions share one node


def test_explain_nearest_come_first(store):
    found = names(explain(store, cell("portfolio_weights", LAST)))
    assert found[:3] == [
        "portfolio_weights v|2020-03-01",
        "portfolio_weights v|2020-02-01",
        "target_weights v|2020-03-01",
    ]


@pytest.mark.parametrize(("depth", "count"), [(0, 1), (1, 3), (2, 6), (99, 10)])
def test_explain_depth_cuts_the_graph_and_says_so(store, depth, count):
    root = explain(store, cell("portfolio_weights", LAST), depth=depth)
    assert len(names(root)) == count
    assert any(node.truncated for node in root.walk()) == (depth < 99)
    assert not any(node.truncated and node.inputs for node in root.walk())


def test_explain_version_that_was_read_but_is_no_longer_current_is_superseded(store):
    old = store.require(cell("returns", WINDOWS[0]))
    commit(store, cell("returns", WINDOWS[0]), bars(2, first=WINDOWS[0]))
    root = explain(store, cell("target_weights", LAST))
    node = next(n for n in root.walk() if n.sha256 == old.sha256)
    assert node.superseded
    assert node.verified
    assert node.rows == old.rows == 8
    assert node.available_at_max == old.available_at_max
    assert (node.code_version, node.inputs) == ("", ())
    assert "superseded" in "\n".join(root.lines())


def test_explain_superseded_version_that_was_collected_is_not_verified(store):
    old = store.require(cell("returns", WINDOWS[0]))
    commit(store, cell("returns", WINDOWS[0]), bars(2, first=WINDOWS[0]))
    store.layout.object(old.sha256).unlink()
    fresh = SnapshotStore(store.layout.root)
    root = explain(fresh, cell("target_weights", LAST))
    node = next(n for n in root.walk() if n.sha256 == old.sha256)
    assert (node.verified, node.rows, node.note) == (False, None, "its object is gone")


def test_explain_damaged_object_is_not_verified_even_when_it_was_read_before(store):
    manifest = store.require(cell("raw_bars", WINDOWS[0]))
    store.read(cell("raw_bars", WINDOWS[0]))
    flip_bit(store.layout.object(manifest.sha256), 30)
    root = explain(store, cell("bars", WINDOWS[0]))
    assert [node.verified for node in root.walk()] == [True, False]
    assert "NOT VERIFIED" in "\n".join(root.lines())


def test_explain_tree_shows_newest_windows_and_counts_the_rest(store):
    lines = list(explain(store, cell("portfolio_weights", LAST)).lines())
    assert len(lines) == 6
    assert lines[0].startswith("portfolio_weights v|2020-03-01  ")
    assert "known by 2020-03-01T00:00:00+00:00, code cccccccc, verified" in lines[0]
    assert lines[1].startswith("├── portfolio_weights v|2020-02-01")
    assert lines[2].startswith("└── target_weights v|2020-03-01")
    assert lines[3].startswith("    └── returns v|2020-02-01")
    assert lines[3].endswith("(and 1 windows from 2020-01-01)")
    assert lines[5].startswith("            └── raw_bars v|2020-02-01")
    assert "source 55555555" in lines[5]


def test_explain_as_dict_is_json_with_every_version_once(store):
    root = explain(store, cell("portfolio_weights", LAST))
    told = json.loads(json.dumps(root.as_dict()))
    assert told["root"] == root.key
    assert len(told["cells"]) == 10
    named = {key for entry in told["cells"].values() for key in entry["inputs"]}
    assert named | {root.key} == set(told["cells"])


def test_explain_missing_cell_names_the_command(store):
    with pytest.raises(MissingCellError, match="quant-assets backfill"):
        explain(store, cell("equity", LAST))


@pytest.mark.slow
def test_explain_long_chain_needs_no_recursion(in_memory):
    store, length = SnapshotStore(in_memory), 200
    shared, previous = facts(store), ""
    for number in range(length):
        inputs = {"chain": {f"{number - 1:04d}": previous}} if previous else {}
        frame = bars(1, scale=number + 1.0)
        own = cell("chain", f"{number:04d}")
        previous = store.commit(own, frame, {**shared, "inputs": inputs}).sha256
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + length)
    try:
        root = explain(store, cell("chain", f"{length - 1:04d}"))
        assert len(names(root)) == length
        assert len(list(root.lines())) == 2
        assert len(repr(root)) < 1000
    finally:
        sys.setrecursionlimit(limit)


def test_explain_cell_that_depends_on_itself_is_refused(store):
    one, other = cell("a", "w"), cell("b", "w")
    first, second = commit(store, one, bars(1)), commit(store, other, bars(2))
    commit(store, one, bars(1), inputs={"b": {"w": second.sha256}})
    commit(store, other, bars(2), inputs={"a": {"w": first.sha256}})
    with pytest.raises(StorageError, match="depends on itself"):
        explain(store, one)


def test_explain_league_reads_cells_of_several_venues(store):
    other = Cell("tournament", "other", "all")
    first = commit(store, other, bars(1))
    league = Cell("league", "all", "all")
    commit(store, league, bars(2), inputs={"tournament": {"other|all": first.sha256}})
    assert names(explain(store, league)) == ["league all|all", "tournament other|all"]


def test_explain_unchanged_recomputation_is_still_current(store):
    own = cell("bars", WINDOWS[0])
    commit(store, own, store.read(own), inputs=read(store, "raw_bars", WINDOWS[0]))
    root = explain(store, cell("returns", WINDOWS[0]))
    assert not any(node.superseded for node in root.walk())


def test_explain_tree_follows_a_shared_version_once(store):
    shared = read(store, "returns", WINDOWS[1])
    commit(store, cell("clusters", LAST), bars(2), inputs=shared)
    both = {**shared, **read(store, "clusters", LAST)}
    commit(store, cell("streams", LAST), bars(3), inputs=both)
    lines = list(explain(store, cell("streams", LAST)).lines())
    assert sum("raw_bars" in line for line in lines) == 1
    assert lines[-1].endswith("verified  (inputs: see above)")
