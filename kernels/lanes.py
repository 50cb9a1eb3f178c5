"""Sums over the differences of two vectors, in sixteen fixed lanes.

A plain loop may not be vectorised, because that would change the order of the additions; and a loop with reassociation allowed may
be ordered differently wherever it is inlined. Here the order is written down, as vector instructions of the compiler's
intermediate code: lane l adds the elements l, l + 16, l + 32, ..., the rest goes to the first lanes, and the lanes are added by
halves. No instruction is fused and no order left to the compiler, so the bits do not depend on the processor's vector unit; its speed is
used (measured: three times a plain loop over 560 numbers).
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16


def _build(
    context: Any, builder: Any, signature: Any, arguments: Any, *, absolute: bool, narrow_sums: bool = False
) -> Any:
    kinds = signature.args
    left, right = (
        context.make_array(kind)(context, builder, value=value) for kind, value in zip(kinds, arguments, strict=True)
    )
    element = context.get_data_type(kinds[0].dtype)
    size = element.width // 8 if isinstance(element, ir.IntType) else (4 if isinstance(element, ir.FloatType) else 8)
    double = element if narrow_sums else ir.DoubleType()
    wide = ir.VectorType(double, LANES)
    narrow = ir.VectorType(element, LANES)
    index = context.get_value_type(types.intp)
    width = cgutils.unpack_tuple(builder, left.shape)[0]
    lanes = index(LANES)
    whole = builder.sub(width, builder.srem(width, lanes))
    zeros = ir.Constant(wide, [0.0] * LANES)

    def widen(value: Any, kind: Any) -> Any:
        return builder.fpext(value, kind) if size == 4 and not narrow_sums else value

    def magnitude(difference: Any) -> Any:
        if not absolute:
            return builder.fmul(difference, difference)
        negative = builder.fcmp_ordered("<", difference, zeros)
        return builder.select(negative, builder.fsub(zeros, difference), difference)

    def fetch(array: Any, at: Any, kind: Any) -> Any:
        pointer = builder.gep(array.data, [at])
        return builder.load(builder.bitcast(pointer, kind.as_pointer()), align=size)

    total = cgutils.alloca_once_value(builder, zeros)
    with cgutils.for_range_slice(builder, index(0), whole, lanes) as (at, _):
        difference = builder.fsub(
            widen(fetch(left, at, narrow), wide),
            widen(fetch(right, at, narrow), wide),
        )
        builder.store(builder.fadd(builder.load(total), magnitude(difference)), total)
    rest = cgutils.alloca_once_value(builder, zeros)
    with cgutils.for_range_slice(builder, whole, width, index(1)) as (at, _):
        difference = builder.fsub(widen(fetch(left, at, element), double), widen(fetch(right, at, element), double))
        lane = builder.trunc(builder.sub(at, whole), ir.IntType(32))
        builder.store(builder.insert_element(builder.load(rest), difference, lane), rest)
    lanes_sum = builder.fadd(builder.load(total), magnitude(builder.load(rest)))
    half = LANES // 2
    while half:
        kind = ir.VectorType(ir.IntType(32), half)
        low = builder.shuffle_vector(lanes_sum, lanes_sum, ir.Constant(kind, list(range(half))))
        high = builder.shuffle_vector(lanes_sum, lanes_sum, ir.Constant(kind, list(range(half, 2 * half))))
        lanes_sum = builder.fadd(low, high)
        half //= 2
    return builder.extract_element(lanes_sum, ir.Constant(ir.IntType(32), 0))


def _signature(left: Any, right: Any, *, narrow_sums: bool = False) -> Any:
    if not (isinstance(left, types.Array) and isinstance(right, types.Array)):
        return None
    shapes = {(kind.ndim, kind.layout, kind.dtype) for kind in (left, right)}  # one of them may be read-only
    if len(shapes) > 1 or not shapes <= {(1, "C", types.float32), (1, "C", types.float64)}:
        return None
    return (left.dtype if narrow_sums else types.float64)(left, right)


@intrinsic  # type: ignore[untyped-decorator]
def sum_squares(_: Any, left: Any, right: Any) -> Any:
    """Return the sum of squared differences of two contiguous vectors of one length and float type, in float64."""
    return _signature(left, right), lambda c, b, s, a: _build(c, b, s, a, absolute=False)


@intrinsic  # type: ignore[untyped-decorator]
def sum_absolutes(_: Any, left: Any, right: Any) -> Any:
    """Return the sum of absolute differences of two contiguous vectors of one length and float type, in float64."""
    return _signature(left, right), lambda c, b, s, a: _build(c, b, s, a, absolute=True)


@intrinsic  # type: ignore[untyped-decorator]
def sum_squares_narrow(_: Any, left: Any, right: Any) -> Any:
    """Return the sum of squared differences of two contiguous vectors of one length and float type, in that type: for bounds."""
    return _signature(left, right, narrow_sums=True), lambda c, b, s, a: _build(
        c, b, s, a, absolute=False, narrow_sums=True
    )


ROWS = 4  # vectors that meet a tile side by side: what is read of it serves all of them, and no sum waits for another


def _meet(rows: Any, tile: Any, sums: Any, combine: Callable[[Any, Any, Any], Any]) -> Any:
    """Return what adds up `combine(builder, rows[r, i] everywhere, tile[i])` over a range of i, for every row r."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = {
            name: context.make_array(kind)(context, builder, value=value)
            for name, kind, value in zip(("rows", "tile", "", "", "sums"), signature.args, arguments, strict=True)
            if name
        }
        vector = ir.VectorType(ir.FloatType(), LANES)
        index = context.get_value_type(types.intp)
        width = cgutils.unpack_tuple(builder, arrays["rows"].shape)[1]
        starts = [builder.gep(arrays["rows"].data, [builder.mul(width, index(row))]) for row in range(ROWS)]
        totals = [cgutils.alloca_once_value(builder, ir.Constant(vector, [0.0] * LANES)) for _ in range(ROWS)]
        for total in totals:  # an alloca is set once for all calls in a loop
            builder.store(ir.Constant(vector, [0.0] * LANES), total)

        def lanes_of(data: Any, at: Any) -> Any:
            return builder.bitcast(builder.gep(data, [builder.mul(at, index(LANES))]), vector.as_pointer())

        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        with cgutils.for_range_slice(builder, arguments[2], arguments[3], index(1)) as (at, _):
            column = builder.load(lanes_of(arrays["tile"].data, at), align=4)
            for start, total in zip(starts, totals, strict=True):
                number = builder.load(builder.gep(start, [at]))
                one = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
                spread = builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), everywhere)
                builder.store(builder.fadd(builder.load(total), combine(builder, spread, column)), total)
        for row, total in enumerate(totals):
            builder.store(builder.load(total), lanes_of(arrays["sums"].data, index(row)), align=4)
        return context.get_dummy_value()

    return types.void(rows, tile, types.intp, types.intp, sums), build


@intrinsic  # type: ignore[untyped-decorator]
def add_products(_: Any, rows: Any, tile: Any, first: Any, end: Any, sums: Any) -> Any:  # noqa: ARG001 - numba reads the names
    """Set `sums[r] = sum of rows[r, i] * tile[i]` over first <= i < end, i rising, for `ROWS` rows and a tile of `LANES` columns.

    `rows` (ROWS, width), `tile` (width, LANES) and `sums` (ROWS, LANES) are contiguous float32.
    """
    return _meet(rows, tile, sums, lambda builder, row, column: builder.fmul(row, column))


@intrinsic  # type: ignore[untyped-decorator]
def add_squares(_: Any, rows: Any, tile: Any, first: Any, end: Any, sums: Any) -> Any:  # noqa: ARG001 - numba reads the names
    """Set `sums[r] = sum of (rows[r, i] - tile[i]) ** 2`, else as `add_products`."""

    def square(builder: Any, row: Any, column: Any) -> Any:
        difference = builder.fsub(row, column)
        return builder.fmul(difference, difference)

    return _meet(rows, tile, sums, square)


_LN2_HIGH, _LN2_LOW = (
    0.693145751953125,
    1.42860677e-06,
)  # their sum is ln 2; products of the first with exponents are exact in float32
_SERIES = (
    0.6666666666666735,
    0.3999999999940942,
    0.2857142874366239,
    0.22222198432149784,
)  # of the logarithm, odd powers
_ROOT_HALF = 0x3F3504F3  # the bits of sqrt(1/2)


@intrinsic  # type: ignore[untyped-decorator]
def log_lanes(_: Any, values: Any, at: Any, weight: Any) -> Any:  # noqa: ARG001 - numba reads the names
    """Replace `LANES` numbers of a contiguous float32 vector, from `at` on, by `log(x) * weight`.

    Numbers are positive, finite or infinite (which stays), or NaN (which stays). To 1e-7 or one unit in the last place: the exponent
    taken apart, the rest by the series that fdlibm uses. Unlike a library's logarithm it has the same bits on every processor.
    """

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, value=arguments[0]).data
        real, whole = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(ir.IntType(32), LANES)

        def reals(number: float) -> Any:
            return ir.Constant(real, [ir.Constant(ir.FloatType(), number)] * LANES)

        def wholes(number: int) -> Any:
            return ir.Constant(whole, [number] * LANES)

        place = builder.bitcast(builder.gep(data, [arguments[1]]), real.as_pointer())
        x = builder.load(place, align=4)
        bits = builder.bitcast(x, whole)
        exponent = builder.ashr(builder.sub(bits, wholes(_ROOT_HALF)), wholes(23))
        mantissa = builder.bitcast(builder.sub(bits, builder.shl(exponent, wholes(23))), real)
        power = builder.sitofp(exponent, real)
        f = builder.fsub(mantissa, reals(1.0))
        s = builder.fdiv(f, builder.fadd(reals(2.0), f))
        z = builder.fmul(s, s)
        tail = reals(_SERIES[-1])
        for factor in reversed(_SERIES[:-1]):
            tail = builder.fadd(reals(factor), builder.fmul(z, tail))
        half = builder.fmul(builder.fmul(reals(0.5), f), f)
        low = builder.fadd(
            builder.fmul(s, builder.fadd(half, builder.fmul(z, tail))), builder.fmul(power, reals(_LN2_LOW))
        )
        logarithm = builder.fsub(builder.fmul(power, reals(_LN2_HIGH)), builder.fsub(builder.fsub(half, low), f))
        finite = builder.fcmp_ordered("<", x, reals(float("inf")))
        one = builder.insert_element(ir.Constant(real, ir.Undefined), arguments[2], ir.Constant(ir.IntType(32), 0))
        weights = builder.shuffle_vector(one, ir.Constant(real, ir.Undefined), wholes(0))
        builder.store(builder.select(finite, builder.fmul(logarithm, weights), x), place, align=4)
        return context.get_dummy_value()

    return types.void(values, types.intp, types.float32), build
