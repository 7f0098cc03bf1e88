from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quant_assets.core import context as contexts
from quant_assets.core.context import StageContext, build_context
from quant_assets.core.errors import ConfigError
from quant_assets.core.venues import DiscoveryParameters, Market, SimulationParameters, Venue
from quant_assets.core.windows import Grid

GRID = Grid()
KINDS = sorted(
    (
        kind
        for kind in vars(contexts).values()
        if isinstance(kind, type) and issubclass(kind, StageContext)
    ),
    key=lambda kind: kind.__name__,
)
hash_maps = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=3)


def venue(**market):
    values = {
        "asset_class": "equity",
        "currency": "USD",
        "calendar": "XNYS",
        "time_zone": "America/New_York",
        "bar_length": "1d",
        "bars_per_year": 252,
        "decision_lag": "90s",
        "price_fields": ["open", "close"],
    }
    return Venue(
        name="v",
        title="Test",
        provider={"name": "bundled", "settings": {"symbols": ["NA", "TRUE"], "x": 0.1}},
        history={"first": "2000-01-03"},
        market={**values, **market},
        alpha={"month_bars": 21},
    )


def make(kind=contexts.DiscoveryContext, **changes):
    built = build_context(kind, venue(), GRID.window("2020-01-01"), mode="carry")
    return built.model_copy(update=changes)


def merge_or_none(*parts):
    """The merged context, or None when two of them disagree."""
    whole = parts[0]
    try:
        for part in parts[1:]:
            whole = whole.merge(part)
    except ConfigError:
        return None
    return whole


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_build_context_takes_each_field_from_the_venue(kind):
    built = build_context(
        kind, venue(), GRID.window("2020-01-01"), mode="independent", partial=True
    )
    assert built.venue == "v"
    assert built.decided_at == datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=90)
    assert built.partial
    for name in kind.model_fields.keys() & {"market", "simulation", "optimization", "provider"}:
        assert getattr(built, name) == getattr(venue(), name)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_context_json_round_trip_is_equal_and_has_the_same_digest(kind):
    built = make(kind, inputs={"bars 2020": "a" * 64}, outputs={"x": "b" * 64})
    back = kind.model_validate_json(built.model_dump_json())
    assert back == built
    assert back.digest() == built.digest()


@pytest.mark.parametrize(
    "changes",
    [
        {"venue": "w"},
        {"partial": True},
        {"inputs": {"a": "1"}},
        {"outputs": {"a": "1"}},
        {"window": GRID.window("2020-02-01")},
        {"discovery": DiscoveryParameters(min_history_bars=7)},
        {"market": venue(publication_delay="1s").market},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_context_digest_depends_on_every_field(changes):
    assert make(**changes).digest() != make().digest()


def test_context_config_holds_parameters_and_nothing_that_varies_by_window():
    config = make().config()
    assert set(config) == {"venue", "market", "discovery"}
    other = build_context(
        contexts.DiscoveryContext, venue(), GRID.window("2021-05-01"), mode="carry", partial=True
    )
    assert other.config() == config


def test_context_is_frozen_and_strict():
    with pytest.raises(ValidationError, match="frozen"):
        make().venue = "w"
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        contexts.DiscoveryContext(**make().model_dump(), more=1)


def test_merge_unites_hashes_and_keeps_the_rest():
    merged = make(inputs={"a": "1"}) + make(inputs={"b": "2"}, outputs={"c": "3"})
    assert merged == make(inputs={"a": "1", "b": "2"}, outputs={"c": "3"})
    assert list(merged.inputs) == ["a", "b"]


@given(hash_maps, hash_maps, hash_maps)
def test_merge_is_associative_commutative_and_idempotent(one, two, three):
    a, b, c = make(inputs=one), make(inputs=two, outputs=one), make(inputs=three, outputs=two)
    left = merge_or_none(a, b)
    right = merge_or_none(b, c)
    ab_c = merge_or_none(left, c) if left else None
    a_bc = merge_or_none(a, right) if right else None
    assert ab_c == a_bc
    assert merge_or_none(a, b) == merge_or_none(b, a)
    assert a.merge(a) == a
    if left:
        assert left.merge(b) == left


def test_merge_conflict_of_hashes_names_key_and_both_values():
    with pytest.raises(ConfigError, match=r"inputs\['bars'\]: '1' and '2'"):
        make(inputs={"bars": "1"}).merge(make(inputs={"bars": "2"}))


def test_merge_conflict_of_parameters_names_field_and_both_values():
    other = make(discovery=DiscoveryParameters(min_history_bars=7))
    with pytest.raises(ConfigError, match=r"discovery.*min_history_bars=120.*min_history_bars=7"):
        make().merge(other)


def test_merge_of_different_kinds_is_refused():
    with pytest.raises(ConfigError, match="DiscoveryContext with IngestionContext"):
        make().merge(make(contexts.IngestionContext))


def test_new_kind_of_context_needs_no_change_elsewhere():
    class StressContext(StageContext):
        """Defined here only."""

        market: Market
        simulation: SimulationParameters

    built = make(StressContext)
    assert built.simulation == venue().simulation
    assert set(built.config()) == {"venue", "market", "simulation"}
    assert StressContext.model_validate_json(built.model_dump_json()).digest() == built.digest()
    assert built.merge(built.model_copy(update={"outputs": {"x": "1"}})).outputs == {"x": "1"}
