"""Market and book behind pointers, and arrays without owners: what calls need not count.

Of a named tuple that is passed numba counts references to each array, at every call.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    models,
    register_model,
)

from quant_assets.quant.simulation.execution.book import Book, Market
from quant_assets.quant.simulation.execution.event_kernel.compiling import compiled

FLOATS, INTEGERS = types.float64[:, ::1], types.int64[:, ::1]
FLOAT_ROW, INTEGER_ROW = types.float64[::1], types.int64[::1]
OTHER_TYPES = {
    **dict.fromkeys(("days", "rules", "account"), FLOAT_ROW),
    **dict.fromkeys(
        (
            "detail_first",
            "first_fill",
            "ts",
            "switches",
            "counters",
            "held",
            "scratch",
            "shown_rows",
        ),
        INTEGER_ROW,
    ),
    **dict.fromkeys(("funding_place", "flags", "codes", "shown"), INTEGERS),
    **dict.fromkeys(("exit_level", "margin"), types.float64[:, :, ::1]),
    **dict.fromkeys(("signal", "member"), types.int8[:, ::1]),
    "exit_kind": types.int8[::1],
}


class Pointer(types.Type):
    """A named tuple on the stack behind one pointer: what is not asked for is not passed.

    numba counts references of what it passes; this is not counted, nor are the arrays in it.
    """

    def __init__(self, name: str, fields: tuple[str, ...]) -> None:
        self.fields = {one: OTHER_TYPES.get(one, FLOATS) for one in fields}
        super().__init__(f"Pointer({name})")


@register_model(Pointer)
class _PointerModel(models.PrimitiveModel):
    def __init__(self, manager: Any, pointer: Any) -> None:
        super().__init__(manager, pointer, ir.IntType(8).as_pointer())


@infer_getattr
class _PointerFields(AttributeTemplate):
    key = Pointer

    def generic_resolve(  # type: ignore[override]  # numba says: not implemented
        self, pointer: Any, field: str
    ) -> Any:
        """Type of a field; None where there is none."""
        return pointer.fields.get(field)


@lower_getattr_generic(Pointer)
def _load(context: Any, builder: Any, pointer: Any, value: Any, field: str) -> Any:
    """Read one field of the tuple."""
    kinds = [context.get_value_type(kind) for kind in pointer.fields.values()]
    place = builder.bitcast(value, ir.LiteralStructType(kinds).as_pointer())
    at = list(pointer.fields).index(field)
    word = ir.IntType(32)
    return builder.load(builder.gep(place, [word(0), word(at)], inbounds=True))


MARKET_POINTER: Any = Pointer("Market", Market._fields)
BOOK_POINTER: Any = Pointer("Book", Book._fields)


def _pointed(kind: Any) -> Any:
    """An intrinsic that puts a tuple on the caller's stack and gives a pointer to it."""

    def point(typing_context: Any, fields: Any) -> Any:
        del typing_context

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            del context, signature
            place = cgutils.alloca_once_value(builder, arguments[0])
            return builder.bitcast(place, ir.IntType(8).as_pointer())

        return kind(fields), generate

    return intrinsic(point)


market_at: Any = _pointed(MARKET_POINTER)
book_at: Any = _pointed(BOOK_POINTER)


@intrinsic
def _lent(typing_context: Any, array: Any) -> Any:
    """The same array without an owner: copies of it are not counted, the caller keeps it alive."""
    del typing_context

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = context.make_array(signature.args[0])(context, builder, arguments[0])
        source.meminfo = ir.Constant(source.meminfo.type, None)
        source.parent = ir.Constant(source.parent.type, None)
        return source._getvalue()  # numba's own way to read a structure

    return array(array), generate


lent: Any = _lent


@compiled
def lent_market(market: Market) -> Market:
    """The market without owners of its arrays."""
    return Market(
        lent(market.open),
        lent(market.high),
        lent(market.low),
        lent(market.close),
        lent(market.volume),
        lent(market.volatility),
        lent(market.average_volume),
        lent(market.spread),
        lent(market.fx),
        lent(market.signal),
        lent(market.target),
        lent(market.limit),
        lent(market.stop),
        lent(market.strength),
        lent(market.size),
        lent(market.exit_kind),
        lent(market.exit_level),
        lent(market.detail_open),
        lent(market.detail_high),
        lent(market.detail_low),
        lent(market.detail_close),
        lent(market.detail_first),
        lent(market.first_fill),
        lent(market.ts),
        lent(market.days),
        lent(market.funding_place),
        lent(market.funding_rate),
        lent(market.rules),
        lent(market.switches),
        lent(market.instruments),
        lent(market.commission),
        lent(market.margin),
        lent(market.member),
    )


@compiled
def lent_book(book: Book) -> Book:
    """The book without owners of its arrays."""
    return Book(
        lent(book.account),
        lent(book.counters),
        lent(book.symbols),
        lent(book.flags),
        lent(book.held),
        lent(book.scratch),
        lent(book.orders),
        lent(book.codes),
        lent(book.requests),
        lent(book.fills),
        lent(book.order_log),
        lent(book.trades),
        lent(book.vetoes),
        lent(book.rows),
        lent(book.shown),
        lent(book.shown_rows),
    )
