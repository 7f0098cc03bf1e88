import threading

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.core.workspace import NumericalWorkspace, scratch


def test_scratch_without_a_workspace_leaves_everything_to_numpy():
    with scratch() as space:
        x = np.ones(3)
        assert space.array(1000, 1000) is None
        assert space.over(x) is None
        space.free(x)


def test_scratch_in_a_workspace_gives_arrays_and_takes_them_back():
    with NumericalWorkspace() as workspace:
        addresses = []
        for _ in range(3):
            with scratch() as space:
                array = space.array(300, 400)
                assert array.shape == (300, 400)
                assert array.flags.c_contiguous
                assert array.flags.writeable
                assert space.over(array) is array
                addresses.append(array.ctypes.data)
        assert len(set(addresses)) == 1
        assert workspace.nbytes == 8 * 300 * 400
    assert workspace.nbytes == 0


def test_scratch_arrays_held_at_a_time_share_no_memory():
    with NumericalWorkspace() as workspace, scratch() as space:
        held = [space.array(200, 200) for _ in range(4)]
        for mark, array in enumerate(held):
            array[:] = mark
        with scratch() as inner:
            inner.array(200, 200)[:] = -1.0
        assert [float(array.mean()) for array in held] == [0.0, 1.0, 2.0, 3.0]
        assert workspace.nbytes == 5 * 8 * 200 * 200


def test_free_lets_the_next_array_have_the_memory_once():
    with NumericalWorkspace(), scratch() as space:
        first = space.array(200, 200)
        address = first.ctypes.data
        space.free(first)
        space.free(first)  # twice: given back once only
        second, third = space.array(200, 200), space.array(200, 200)
        assert second.ctypes.data == address
        assert third.ctypes.data != address


def test_small_arrays_are_left_to_numpy():
    with NumericalWorkspace() as workspace, scratch() as space:
        assert space.array(10, 10) is None
        assert workspace.nbytes == 0


def test_windows_that_grow_leave_no_trail_of_buffers():
    with NumericalWorkspace() as workspace:
        for rows in range(1000, 2000, 10):
            with scratch() as space:
                space.array(rows, 100)
        assert workspace.nbytes == 8 * 100 * 1990


def test_a_small_array_does_not_take_a_buffer_more_than_twice_as_large():
    with NumericalWorkspace() as workspace:
        with scratch() as space:
            space.array(1000, 100)
        with scratch() as space:
            space.array(499, 100)
            large = workspace.nbytes
            space.array(1000, 100)
            assert workspace.nbytes == large == 8 * 100 * (1000 + 499)


def test_buffers_come_back_after_an_error():
    with NumericalWorkspace() as workspace:
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                broken()
        assert workspace.nbytes == 8 * 200 * 200


def broken():
    with scratch() as space:
        space.array(200, 200)
        raise ZeroDivisionError


def test_threads_started_inside_work_as_without_a_workspace():
    seen = []

    def other():
        with scratch() as space:
            seen.append(space.array(200, 200))

    with NumericalWorkspace() as workspace:
        for run in (other, workspace_context(other)):
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
        assert workspace.nbytes == 0
    assert seen == [None, None]


def workspace_context(function):
    """`function` in a copy of this thread's context, as `asyncio.to_thread` runs it."""
    import contextvars

    context = contextvars.copy_context()
    return lambda: context.run(function)


def test_workspace_entered_twice_at_a_time_is_refused():
    workspace = NumericalWorkspace()
    with workspace, pytest.raises(ConfigError, match="serves one thread and one `with` block"):
        workspace.__enter__()
    with workspace, scratch() as space:  # one after the other is fine
        assert space.array(200, 200) is not None


def test_the_inner_one_of_two_workspaces_serves_until_it_ends():
    with NumericalWorkspace() as outer:
        with NumericalWorkspace() as inner, scratch() as space:
            space.array(200, 200)
            assert (outer.nbytes, inner.nbytes) == (0, 8 * 200 * 200)
        with scratch() as space:
            space.array(200, 200)
        assert outer.nbytes == 8 * 200 * 200


def test_workspace_without_a_least_size_is_refused():
    with pytest.raises(ConfigError, match="least_bytes 0"):
        NumericalWorkspace(least_bytes=0)
