"""What a headless launch changes in its process, it changes back."""

import gc

import pytest

from quant_assets.orchestration.launch import COLLECT_AFTER, _rare_collections

pytestmark = pytest.mark.slow


@pytest.fixture(params=["nothing", "modules"])
def spared(request):
    """What the process spared from collection before the launch, as a command does at its end."""
    gc.unfreeze()
    if request.param == "modules":
        gc.freeze()
    yield gc.get_freeze_count()
    gc.freeze()  # as it was: the tests' modules are spared, see conftest


def failing():
    with _rare_collections():
        assert gc.get_threshold()[0] == COLLECT_AFTER
        assert gc.get_freeze_count() > 0
        raise ValueError("boom")


def test_rare_collections_end_with_the_run_even_when_it_fails(spared):
    before = gc.get_threshold()
    with pytest.raises(ValueError, match="boom"):
        failing()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == pytest.approx(spared, rel=0.01)


def test_rare_collections_still_find_cycles():
    class Node:
        def __init__(self):
            self.me = self

    with _rare_collections():
        for _ in range(3 * COLLECT_AFTER):
            Node()
        alive = sum(isinstance(found, Node) for found in gc.get_objects())
    assert alive <= 2 * COLLECT_AFTER
