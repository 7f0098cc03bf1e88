"""The declared graph: no decision reaches its own window, and mappings mean what they say."""

from dataclasses import replace
from datetime import date

import dagster as dg
import pytest

from quant_assets.contracts.universe import Universe
from quant_assets.core.errors import ConfigError
from quant_assets.core.venues import Venue
from quant_assets.core.windows import Grid
from quant_assets.orchestration.cells import KIND_TAG, cell_spec, window_asset
from quant_assets.orchestration.graph import contract_of, ordered_specs, spec_of, window_assets
from quant_assets.orchestration.lookahead import violations
from quant_assets.orchestration.partitions import History, shared_grid, time_windows, window_mapping
from quant_assets.orchestration.walk import walk

pytestmark = pytest.mark.slow

GROUPS = ["ingestion", "discovery", "alpha", "synthesis", "optimization", "simulation", "reporting"]


def planted(offset: int) -> dg.AssetsDefinition:
    """`universe` again, but reading bars up to window `offset`."""
    honest = spec_of("universe")
    leaking = replace(honest, outs={}, reads={"bars": History(lambda _venue: 6, offset)})

    @window_asset(leaking, contract=Universe)
    def universe(context, bars):
        return walk(context, bars=bars)

    return universe


def with_planted(offset: int) -> list[dg.AssetsDefinition]:
    others = [a for a in window_assets() if "universe" not in cell_spec(a).outs]
    return [*others, planted(offset)]


def test_graph_as_declared_lets_no_decision_reach_its_own_window():
    assert [str(v) for v in violations(window_assets())] == []


@pytest.mark.parametrize("offset", [0, 1])
def test_graph_with_planted_leak_is_caught_and_named(offset: int):
    found = violations(with_planted(offset))
    assert [(v.downstream, v.upstream, v.latest) for v in found] == [("universe", "bars", offset)]


def test_graph_with_planted_honest_twin_passes():
    assert violations(with_planted(-1)) == []


def test_graph_has_the_seven_groups_and_every_asset_has_kind_contract_and_code_version():
    groups = set()
    for asset in window_assets():
        spec = cell_spec(asset)
        for key in asset.keys:
            groups.add(asset.specs_by_key[key].group_name)
            assert asset.tags_by_key[key][KIND_TAG] == spec.kind
            assert (
                asset.metadata_by_key[key]["contract"] == contract_of(key.to_user_string()).__name__
            )
            assert asset.code_versions_by_key[key] == spec.code_version
            assert asset.specs_by_key[key].description or len(asset.keys) > 1
    assert sorted(groups) == sorted(GROUPS)


def test_graph_order_puts_every_read_before_its_reader():
    seen: set[str] = set()
    for spec in ordered_specs():
        assert set(spec.reads) - set(spec.outs) <= seen, spec.main
        seen.update(spec.outs)


def test_graph_unknown_asset_lists_known_ones():
    with pytest.raises(ConfigError, match=r"no asset named 'barz'; known: .*bars"):
        spec_of("barz")


def test_graph_only_the_carried_out_of_a_multi_asset_depends_on_itself():
    simulation = next(a for a in window_assets() if "final_holdings" in cell_spec(a).outs)
    carried = dg.AssetKey("final_holdings")
    assert next(iter(cell_spec(simulation).outs)) == "final_holdings"
    assert [key for key in sorted(simulation.keys) if carried in simulation.asset_deps[key]] == [
        carried
    ]


def test_grid_is_shared_by_every_window_asset():
    for asset in window_assets():
        if cell_spec(asset).kind != "venue":
            assert asset.partitions_def == shared_grid()


@pytest.mark.parametrize(
    ("cadence", "start", "expected"),
    [
        ("monthly", date(2020, 1, 1), ["2020-01-01", "2020-02-01", "2020-03-01"]),
        ("weekly", date(2020, 1, 6), ["2020-01-06", "2020-01-13", "2020-01-20"]),
        ("quarterly", date(2020, 1, 1), ["2020-01-01", "2020-04-01", "2020-07-01"]),
    ],
)
def test_grid_and_dagster_agree_on_windows(cadence: str, start: date, expected: list[str]):
    """One mapping test per cadence: keys, spans and offsets are the same in both worlds."""
    end = {"monthly": date(2021, 1, 1), "weekly": date(2020, 12, 28), "quarterly": date(2022, 1, 1)}
    grid = Grid(start=start, cadence=cadence, end=end[cadence])
    definition = time_windows(grid)
    keys = list(definition.get_partition_keys())
    assert keys[:3] == expected
    assert keys == list(grid.between(keys[0], keys[-1]))
    for key in keys[:5]:
        span = definition.time_window_for_partition_key(key)
        mine = grid.window(key)
        assert (span.start.timestamp(), span.end.timestamp()) == (
            mine.start.timestamp(),
            mine.end.timestamp(),
        )
    multi = dg.MultiPartitionsDefinition(
        {"venue": dg.StaticPartitionsDefinition(["v"]), "window": definition}
    )
    mapped = window_mapping(-3, -1).get_upstream_mapped_partitions_result_for_partitions(
        downstream_partitions_subset=multi.subset_with_partition_keys([f"v|{keys[4]}"]),
        downstream_partitions_def=multi,
        upstream_partitions_def=multi,
    )
    found = sorted(mapped.partitions_subset.get_partition_keys())
    assert found == [f"v|{k}" for k in keys[1:4]]
    assert [k.split("|")[1] for k in found] == [grid.shift(keys[4], n) for n in (-3, -2, -1)]


def test_history_offsets_are_the_widest_over_venues():
    specs = [spec_of("target_weights")]
    from quant_assets.orchestration.workspace import current_workspace

    workspace = current_workspace()
    widest = max(v.training_windows for v in workspace.venues.values())
    assert specs[0].reads["returns_matrix"].offsets(workspace) == (-widest, -1)

    def own(venue: Venue) -> tuple[int, int]:
        return specs[0].reads["returns_matrix"].span(venue)

    for venue in workspace.venues.values():
        assert own(venue) == (-venue.training_windows, -1)


def test_graph_specs_know_their_steps_by_name():
    assert all(cell_spec(asset).op == asset.op.name for asset in window_assets())
