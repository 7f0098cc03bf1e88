import math

import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.core.executor import ProcessExecutor, RayExecutor, SerialExecutor


def test_serial_executor_maps_lazily_in_order():
    asked = []
    found = SerialExecutor().map(lambda x: asked.append(x) or 2 * x, iter([3, 1, 2]))
    assert asked == []
    assert list(found) == [6, 2, 4]


def test_no_workers_are_refused():
    with pytest.raises(ConfigError, match="at least 1"):
        ProcessExecutor(0)


@pytest.mark.slow
def test_processes_keep_the_order_serve_several_functions_and_pass_errors_on():
    with ProcessExecutor(2) as executor:
        assert list(executor.map(math.sqrt, range(50))) == [math.sqrt(x) for x in range(50)]
        assert list(executor.map(abs, [-2, 3])) == [2, 3]
        assert list(executor.map(abs, [])) == []
        with pytest.raises(ValueError, match="math domain"):
            list(executor.map(math.sqrt, [1.0, -1.0]))
        assert list(executor.map(str, [1])) == ["1"]


def test_ray_executor_says_what_to_install():
    try:
        import ray  # noqa: F401
    except ImportError:
        with pytest.raises(ConfigError, match="ray"):
            next(RayExecutor().map(abs, [1]))
    else:
        pytest.skip("Ray is installed")


@pytest.mark.slow
def test_ray_keeps_the_order_and_passes_errors_on():
    ray = pytest.importorskip("ray")
    try:
        executor = RayExecutor(workers=2, window=3)
        assert list(executor.map(abs, range(-8, 0))) == list(range(8, 0, -1))
        with pytest.raises(ValueError, match="math domain"):
            list(executor.map(math.sqrt, [1.0, -1.0]))
    finally:
        ray.shutdown()
