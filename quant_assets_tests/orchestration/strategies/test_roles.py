"""Which venues give strategies a role, what their cells then read, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from quant_assets.core.config import Settings
from quant_assets.core.errors import ConfigError
from quant_assets.core.windows import Grid
from quant_assets.orchestration.cell_plans import config_digest, expected_inputs, plan_cell
from quant_assets.orchestration.factories import strategy_specs
from quant_assets.orchestration.graph import spec_of
from quant_assets.orchestration.strategy_roles import (
    entrant_reads,
    leak_reads,
    mark_assets,
    named,
    stance_assets,
    stream_reads,
    verdicts,
)
from quant_assets.orchestration.workspace import Workspace
from quant_assets.storage.paths import Cell
from quant_assets_tests.orchestration.strategies import places
from quant_assets_tests.storage.samples import commit

pytestmark = pytest.mark.slow

VENUE = places.VENUE + "optimization: {{foreign: {{peer: {{import_path: some.Estimator}}}}}}\n"
CROSS = """\
strategy: {name}
version: "1.0.0"
components:
  signals:
    entry_long: [{{ma_cross_up: {{fast: 3, slow: 12}}}}]
    exit_long: [{{ma_cross_down: {{fast: 3, slow: 12}}}}]
"""
WINDOW = "2022-04-01"
MONTHS = places.MONTHS


def workspace(folder: Path, roles: str, *files: str) -> Workspace:
    """Venues v, with these roles, and w, without any."""
    (folder / "venues").mkdir()
    (folder / "strategies").mkdir()
    for name, section in (("v", roles), ("w", "")):
        text = VENUE.format(name=name, length="8h") + section
        (folder / "venues" / f"{name}.yaml").write_text(text, encoding="utf-8")
    for text in files:
        path = folder / "strategies" / f"{text.split()[1]}.yaml"
        path.write_text(text, encoding="utf-8")
    settings = Settings(
        data_root=folder / "data",
        venues_folder=folder / "venues",
        strategies_folder=folder / "strategies",
        venues=["v", "w"],
        grid=Grid(start=pd.Timestamp("2021-10-01").date()),
    )
    return Workspace(settings)


BOTH = "strategies: {entrants: [cross, dip], streams: [cross]}\n"


def of_both(folder: Path) -> Workspace:
    return workspace(folder, BOTH, *(CROSS.format(name=name) for name in ("cross", "dip", "other")))


def test_cells_of_the_venue_that_names_them_read_strategies_and_no_others(tmp_path: Path):
    place = of_both(tmp_path)
    assert named(place, "entrants") == {"cross": frozenset("v"), "dip": frozenset("v")}
    simulation = replace(spec_of("final_holdings"), reads=entrant_reads(place))
    cells = expected_inputs(place, simulation, "v", WINDOW)
    assert sorted(cells) == ["cross_equity", "cross_fills", "dip_equity", "dip_fills"]
    assert [[cell.window for cell in cells[name]] for name in cells] == [[WINDOW]] * 4
    assert expected_inputs(place, simulation, "w", WINDOW) == {}
    sheet = replace(spec_of("tear_sheet"), reads=leak_reads(place))
    assert sorted(expected_inputs(place, sheet, "v", "all")) == ["cross_leaks", "dip_leaks"]
    assert expected_inputs(place, sheet, "w", "all") == {}


def test_streams_read_windows_before_the_decision_alone(tmp_path: Path):
    place = of_both(tmp_path)
    spec = replace(spec_of("alpha_streams"), reads=stream_reads(place))
    windows = {
        asset: [cell.window for cell in cells]
        for asset, cells in expected_inputs(place, spec, "v", WINDOW).items()
    }
    training = ["2022-02-01", "2022-03-01"]
    assert windows == {
        "returns_matrix": training,
        "cross_stances": ["2022-03-01"],
        "cross_equity": training,
    }
    assert all(history.through == -1 for history in spec.reads.values())


def test_fingerprints_of_a_venue_without_strategies_are_those_of_a_graph_without_them(
    tmp_path: Path,
):
    place = of_both(tmp_path)
    added = {"final_holdings": entrant_reads(place), "alpha_streams": stream_reads(place)}
    for asset, reads in added.items():
        plain = spec_of(asset)
        wider = replace(plain, reads={**plain.reads, **reads})
        _, values = config_digest(place, plain, "w")
        config = place.store.put_config(values)
        one, other = (plan_cell(place, spec, "w", WINDOW, config) for spec in (plain, wider))
        assert one == other
        assert plan_cell(place, wider, "v", WINDOW, config).inputs.keys() > one.inputs.keys()


def test_stances_are_made_for_streams_only_and_elsewhere_empty_with_the_reason(tmp_path: Path):
    place = of_both(tmp_path)
    (asset,) = stance_assets(place)
    spec = asset.op.compute_fn.decorated_fn.cell_spec
    assert list(spec.outs) == ["cross_stances"]
    reasons = [spec.empty_reason(place.venue(v), place.span(v), WINDOW) for v in "vw"]
    assert reasons == ["", "w does not name cross for its streams"]


def test_verdicts_are_those_that_are_stored_and_empty_without(tmp_path: Path):
    place = of_both(tmp_path)
    frame = pd.DataFrame(
        {
            "strategy_name": pd.array(["dip"], dtype="str"),
            "finding": [0],
            "verdict": pd.array(["trusted"], dtype="str"),
            "trusted": [True],
            **{name: pd.array([""], dtype="str") for name in ("output", "probe", "text")},
            "n_rows": [5],
            **{name: pd.to_datetime(["2022-01-01"], utc=True) for name in ("first_ts", "last_ts")},
        }
    )
    commit(place.store, Cell("dip_leaks", "v", "all"), frame)
    found = verdicts(place, "v")
    assert {asset: own["trusted"].tolist() for asset, own in found.items()} == {
        "cross_leaks": [],
        "dip_leaks": [True],
    }
    assert verdicts(place, "w") == {}


WALKED = """\
walk_forward:
  parameters: {components.signals.entry_long.0.ma_cross_up.fast: [2, 3]}
"""


def test_a_walk_forward_takes_part_by_its_own_name(tmp_path: Path):
    roles = "strategies: {entrants: [cross, cross_walk], streams: [cross_walk]}\n"
    place = workspace(tmp_path, roles, CROSS.format(name="cross") + WALKED)
    parts = ["cross_equity", "cross_fills", "cross_walk_equity", "cross_walk_fills"]
    assert list(entrant_reads(place)) == parts
    assert list(stream_reads(place)) == [
        "returns_matrix",
        "cross_walk_stances",
        "cross_walk_equity",
    ]
    assert list(leak_reads(place)) == ["cross_leaks"]
    (asset,) = stance_assets(place)
    spec = asset.op.compute_fn.decorated_fn.cell_spec
    assert (spec.kind, spec.group) == ("outcome", "cross"), "it reads outcomes"
    made = {
        out for one in strategy_specs(place.strategies["cross"], place.venues) for out in one.outs
    }
    assert {*parts, *spec.reads} <= made


def test_a_strategy_on_longer_bars_takes_part_by_its_account_on_the_venues_bars(tmp_path: Path):
    roles = "strategies: {entrants: [cross], streams: [cross, cross_walk]}\n"
    place = workspace(tmp_path, roles, CROSS.format(name="cross") + DAILY + WALKED)
    assert list(entrant_reads(place)) == ["cross_marks", "cross_marks_fills"]
    streams = ["cross_stances", "cross_marks", "cross_walk_stances", "cross_walk_marks"]
    assert list(stream_reads(place)) == ["returns_matrix", *streams]
    made = mark_assets(place)
    specs = [asset.op.compute_fn.decorated_fn.cell_spec for asset in made]
    assert [(spec.main, spec.kind) for spec in specs] == [
        ("cross_marks", "series"),
        ("cross_walk_marks", "outcome"),
    ]
    cells = expected_inputs(place, specs[0], "v", WINDOW)
    assert [cell.window for cell in cells["cross_positions"]] == ["2022-03-01", WINDOW]
    assert specs[0].empty_reason(place.venue("w"), place.span("w"), WINDOW).startswith("cross")


def test_marks_that_are_walked_in_parts_have_the_manifests_of_one_walk(tmp_path: Path):
    made = {}
    for root, parts in (("one", (MONTHS,)), ("parts", (MONTHS[:2], MONTHS[2:3], MONTHS[3:]))):
        (tmp_path / root).mkdir()
        roles = "strategies: {entrants: [cross]}\n"
        given = workspace(tmp_path / root, roles, CROSS.format(name="cross") + DAILY)
        place = places.Place(given.settings.data_root.parent).workspace()
        windows, *_ = strategy_specs(place.strategies["cross"], place.venues)
        (asset,) = mark_assets(place)
        for part in parts:
            for spec in (windows, asset.op.compute_fn.decorated_fn.cell_spec):
                places.walk(place, spec, [f"v|{month}" for month in part])
        cells = [
            Cell(out, "v", month)
            for out in ("cross_marks", "cross_marks_fills")
            for month in MONTHS
        ]
        made[root] = [place.store.require(cell).hash() for cell in cells]
        marks, own = places.read(place, "cross_marks"), places.read(place, "cross_equity")
        assert (len(marks), marks["equity"].iloc[-1]) == (3 * len(own), own["equity"].iloc[-1])
    assert made["one"] == made["parts"]


def test_without_names_nothing_is_declared(tmp_path: Path):
    place = workspace(tmp_path, "", CROSS.format(name="cross"))
    assert [entrant_reads(place), stream_reads(place), leak_reads(place)] == [{}, {}, {}]
    assert stance_assets(place) == []


DAILY = "runtime: {candle_interval: 1d}\n"
FUTURE = """\
execution:
  instrument_model: {grid: {multiplier: 50}}
"""


@pytest.mark.parametrize(
    ("role", "name", "text", "message"),
    [
        ("entrants", "crss", "", "no strategy named 'crss' in strategies_folder; did you mean cro"),
        ("entrants", "cross_walk", "", "no strategy named 'cross_walk' .*; did you mean cross"),
        ("streams", "zebra", "", "no strategy named 'zebra' .*; known: cross"),
        ("entrants", "kelly", "", "'kelly' is the name of another entrant of this venue"),
        ("entrants", "champion", "", "'champion' is the name of another entrant"),
        ("entrants", "peer", "", "'peer' is the name of another entrant"),
        ("entrants", "index", "", "'index' is the name of another entrant"),
        ("entrants", "future", FUTURE, "'future' trades contracts with a multiplier"),
        ("streams", "late", DAILY + FUTURE, "'late' decides on longer bars than the venue's"),
        ("streams", "tied", "backtest: {universe: w}\n", "'tied' has no cells .*for the venue w"),
    ],
)
def test_a_name_that_can_take_no_part_is_refused_with_file_and_line(
    tmp_path: Path, role: str, name: str, text: str, message: str
):
    files = [CROSS.format(name="cross")]
    if message.startswith("'"):
        files.append(CROSS.format(name=name) + text)
    roles = f"strategies:\n  {role}:\n    - cross\n    - {name}\nreference: {{benchmark: index}}\n"
    place = workspace(tmp_path, roles, *files)
    line = VENUE.count("\n") + 4
    with pytest.raises(ConfigError, match=rf"v\.yaml:{line}: strategies\.{role}: {message}"):
        named(place, role)


def test_a_name_without_a_folder_of_strategies_is_refused(tmp_path: Path):
    place = workspace(tmp_path, "strategies: {streams: [cross]}\n")
    bare = Workspace(place.settings.model_copy(update={"strategies_folder": None}))
    with pytest.raises(ConfigError, match=r"v\.yaml:\d+: .*settings.yaml has no strategies_folder"):
        named(bare, "streams")
