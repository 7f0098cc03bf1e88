"""What bar-by-bar strategies see: rows are revealed as their bars close."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from quant_assets.quant.simulation.execution.event_kernel.compiling import (
    compiled,
)


@intrinsic
def _call(typing_context: Any, address: Any, bar: Any) -> Any:
    """Call the function at `address` with the bar; what it returns is not 0 to stop."""
    del typing_context, address, bar

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        word = ir.IntType(64)
        pointer = builder.inttoptr(arguments[0], ir.FunctionType(word, [word]).as_pointer())
        return builder.call(pointer, [arguments[1]])

    return types.int64(types.int64, types.int64), generate


@intrinsic
def _copy(typing_context: Any, target: Any, source: Any) -> Any:
    """Copy the eight bytes at one address to another."""
    del typing_context, target, source

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        word = ir.IntType(64).as_pointer()
        target, source = (builder.inttoptr(address, word) for address in arguments)
        builder.store(builder.load(source), target)
        return arguments[0]

    return types.int64(types.int64, types.int64), generate


call_back: Any = _call
copy_word: Any = _copy


@compiled
def reveal(shown: Any, state: Any, t: int) -> None:
    """Copy what became known up to bar t into the buffers that windows show.

    `shown` `(3, column)`: addresses of the source and of the buffer, eight-byte words a row.
    `state`: rows that were copied before, rows that the buffers hold.
    """
    for column in range(shown.shape[1]):
        words = shown[2, column]
        for i in range(state[0] * words, (t + 1) * words):
            copy_word(shown[1, column] + 8 * i, shown[0, column] + 8 * i)
    state[0] = t + 1
