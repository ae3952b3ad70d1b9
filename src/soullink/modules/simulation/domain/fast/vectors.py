# ruff: noqa: ARG001 - numba hands all that it has to what lowers a function
# mypy: disable-error-code="import-untyped,no-untyped-call"
"""What the kernel does with lanes beside arithmetic: rows and tables of a tile, choices, roundings.

A table of the kernel is permuted in registers where the processor can, and read number by number
elsewhere. Each function has a plain one of the same name in `maths`, which says what it does to one
lane. Imported by the kernel's source alone: it needs numba.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.core.typing.templates import signature
from numba.extending import intrinsic

from soullink.modules.simulation.domain.fast.lane_types import (
    ALIGNED,
    BYTES,
    ELEMENTS,
    Lanes,
    Tile,
    called,
    element_of,
    fitting,
    in_all,
    is_real,
    vector_of,
)
from soullink.modules.simulation.domain.fast.rows import L


@intrinsic
def tile_of(typing: Any, array: Any) -> Any:
    """Return the tile that begins at an array's first whole cache line; the array is kept alive
    by whoever holds it, and has ALIGNED bytes to spare."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        made = context.make_array(sig.args[0])(context, builder, args[0])
        word = ir.IntType(64)
        start = builder.ptrtoint(made.data, word)
        start = builder.and_(
            builder.add(start, ir.Constant(word, ALIGNED - 1)), ir.Constant(word, -ALIGNED)
        )
        return builder.inttoptr(start, ir.PointerType(ELEMENTS[array.dtype]))

    return signature(Tile(array.dtype), array), code


def _place(builder: Any, tile: Any, index: Any, element: Any, lanes: bool) -> Any:
    address = builder.gep(tile, [index])
    if not lanes:
        return address
    return builder.bitcast(address, ir.PointerType(vector_of(element)))


@intrinsic
def fused(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c: of lanes of single precision rounded once, of all else as written."""
    element = element_of(a, b, c)
    if element is not None:
        kinds = [fitting(kind, element) for kind in (a, b, c)]

        def lanes(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            x, y, z = (in_all(builder, k, v) for k, v in zip(sig.args, args, strict=True))
            if element == types.float32:
                return called(builder, f"llvm.fma.v{L}f32", x.type, [x, y, z])
            if is_real(element):
                return builder.fadd(builder.fmul(x, y), z)
            return builder.add(builder.mul(x, y), z)

        return signature(Lanes(element), *kinds), lanes
    a, b, c = (types.unliteral(kind) for kind in (a, b, c))
    times = typing.resolve_function_type(operator.mul, (a, b), {})
    plus = typing.resolve_function_type(operator.add, (times.return_type, c), {})

    def numbers(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        x, y, z = args
        given = [
            context.cast(builder, *part) for part in ((x, a, times.args[0]), (y, b, times.args[1]))
        ]
        product = context.get_function(operator.mul, times)(builder, given)
        given = [
            context.cast(builder, *part)
            for part in ((product, times.return_type, plus.args[0]), (z, c, plus.args[1]))
        ]
        return context.get_function(operator.add, plus)(builder, given)

    return signature(plus.return_type, a, b, c), numbers


@intrinsic
def get_row(typing: Any, tile: Any, index: Any) -> Any:
    """Return the L numbers that begin at an index of a tile."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = _place(builder, args[0], args[1], tile.element, lanes=True)
        out = builder.load(place)
        out.align = min(ALIGNED, L * BYTES[tile.element])
        return out

    return signature(Lanes(tile.element), tile, types.intp), code


@intrinsic
def put_row(typing: Any, tile: Any, index: Any, value: Any) -> Any:
    """Set the L numbers that begin at an index of a tile; one number is given to all."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = _place(builder, args[0], args[1], tile.element, lanes=True)
        out = builder.store(in_all(builder, sig.args[2], args[2]), place)
        out.align = min(L * BYTES[tile.element], ALIGNED)
        return context.get_dummy_value()

    taken = fitting(value, tile.element)
    return signature(types.none, tile, types.intp, taken), code


@intrinsic
def get_lane(typing: Any, tile: Any, index: Any) -> Any:
    """Return one number of a tile."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load(_place(builder, args[0], args[1], tile.element, lanes=False))

    return signature(tile.element, tile, types.intp), code


@intrinsic
def put_lane(typing: Any, tile: Any, index: Any, value: Any) -> Any:
    """Set one number of a tile."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = _place(builder, args[0], args[1], tile.element, lanes=False)
        builder.store(args[2], place)
        return context.get_dummy_value()

    return signature(types.none, tile, types.intp, tile.element), code


@intrinsic
def pick(typing: Any, where: Any, yes: Any, no: Any) -> Any:
    """Return `yes` where the condition holds, else `no`; both are at hand, so nothing branches."""
    element = element_of(yes, no)
    if element is None:
        element = yes if isinstance(yes, types.Float) else no
    kinds = [fitting(yes, element), fitting(no, element)]

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        condition, a, b = args
        if isinstance(sig.return_type, Lanes):
            a, b = in_all(builder, sig.args[1], a), in_all(builder, sig.args[2], b)
        if not isinstance(where, Lanes):
            condition = cgutils.as_bool_bit(builder, condition)
        return builder.select(condition, a, b)

    many = any(isinstance(kind, Lanes) for kind in (where, *kinds))
    condition = where if isinstance(where, Lanes) else types.boolean
    return signature(Lanes(element) if many else element, condition, *kinds), code


def _chosen(typing: Any, a: Any, b: Any, op: str) -> Any:
    element = element_of(a, b)
    if element is None:
        element = a if isinstance(a, types.Float) else b
    kinds = [fitting(a, element), fitting(b, element)]

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        first, second = args
        if isinstance(sig.return_type, Lanes):
            first, second = (in_all(builder, k, v) for k, v in zip(sig.args, args, strict=True))
        return builder.select(builder.fcmp_ordered(op, first, second), first, second)

    many = any(isinstance(kind, Lanes) for kind in kinds)
    return signature(Lanes(element) if many else element, *kinds), code


@intrinsic
def larger(typing: Any, a: Any, b: Any) -> Any:
    """Return the larger of two numbers."""
    return _chosen(typing, a, b, ">")


@intrinsic
def smaller(typing: Any, a: Any, b: Any) -> Any:
    """Return the smaller of two numbers."""
    return _chosen(typing, a, b, "<")


def _named(name: str) -> Any:
    """Return a function of one number or of lanes that the processor has."""

    @intrinsic
    def function(typing: Any, value: Any) -> Any:
        element = value.element if isinstance(value, Lanes) else value
        suffix = "f32" if element == types.float32 else "f64"
        full = f"llvm.{name}.v{L}{suffix}" if isinstance(value, Lanes) else f"llvm.{name}.{suffix}"

        def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return called(builder, full, args[0].type, [args[0]])

        return signature(value, value), code

    return function


rint, floor, sqrt, magnitude, exp_of, log_of, cos_of = (
    _named(name) for name in ("rint", "floor", "sqrt", "fabs", "exp", "log", "cos")
)
exp2_of = _named("exp2")


@intrinsic
def shifted(typing: Any, value: Any, places: Any) -> Any:
    """Return signed integers shifted to the right, their signs kept."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.ashr(args[0], in_all(builder, sig.args[1], args[1]))

    return signature(value, value, types.int32), code


def _cast(made: Any, emit: str) -> Any:
    @intrinsic
    def function(typing: Any, value: Any) -> Any:
        many = isinstance(value, Lanes)

        def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            target = vector_of(made) if many else ELEMENTS[made]
            if args[0].type == target:
                return args[0]
            return getattr(builder, emit)(args[0], target)

        return signature(Lanes(made) if many else made, value), code

    return function


long_of = _cast(types.int64, "fptosi")
whole = _cast(types.int32, "fptosi")
byte = _cast(types.uint8, "fptoui")
bits_of = _cast(types.int32, "bitcast")
of_bits = _cast(types.float32, "bitcast")
single_of_whole = _cast(types.float32, "sitofp")
single_of_word = _cast(types.float32, "uitofp")
double_of_word = _cast(types.float64, "uitofp")
double_of_single = _cast(types.float64, "fpext")
single_of_double = _cast(types.float32, "fptrunc")


def _features() -> str:
    return str(cpu_target.target_context.codegen().magic_tuple()[2])


def _look_up(typing: Any, tile: Any, start: Any, index: Any, size: int) -> Any:
    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        table, first, number = args
        if is_real(index.element):
            number = builder.fptosi(number, vector_of(types.int32))
        if not (L == 16 and tile.element == types.float32 and "+avx512f" in _features()):
            most = ir.Constant(number.type, [63 if size == 3 * L else size - 1] * L)
            number = builder.and_(number, most)
            return _gathered(builder, table, first, number, tile.element)
        vector = vector_of(types.float32)
        some = []
        for n in range(size // L):
            at = builder.add(first, ir.Constant(first.type, n * L))
            part = builder.load(_place(builder, table, at, tile.element, lanes=True))
            part.align = ALIGNED
            some.append(part)
        if size == L:
            return called(builder, "llvm.x86.avx512.permvar.sf.512", vector, [some[0], number])
        two = [some[0], number, some[1]]
        out = called(builder, "llvm.x86.avx512.vpermi2var.ps.512", vector, two)
        if size == 3 * L:
            last = called(builder, "llvm.x86.avx512.permvar.sf.512", vector, [some[2], number])
            limit = ir.Constant(number.type, [2 * L] * L)
            out = builder.select(builder.icmp_signed(">=", number, limit), last, out)
        return out

    return signature(Lanes(tile.element), tile, types.intp, index), code


def _gathered(builder: Any, table: Any, first: Any, number: Any, element: Any) -> Any:
    """Return numbers of a table one by one, by a function that is not written out every time."""
    kind = ir.FunctionType(vector_of(element), [table.type, number.type])
    function = cgutils.get_or_insert_function(builder.module, kind, f"look_up_{element}")
    if not function.blocks:
        function.linkage = "internal"
        function.attributes.add("noinline")
        own = ir.IRBuilder(function.append_basic_block())
        base, numbers = function.args
        out = ir.Constant(vector_of(element), ir.Undefined)
        for lane in range(L):
            place = ir.Constant(ir.IntType(32), lane)
            at = own.zext(own.extract_element(numbers, place), ir.IntType(64))
            out = own.insert_element(out, own.load(own.gep(base, [at])), place)
        own.ret(out)
    return builder.call(function, [builder.gep(table, [first]), number])


@intrinsic
def look_up_16(typing: Any, tile: Any, start: Any, index: Any) -> Any:
    """Return the numbers at `index`, 0 to 15, of the table of 16 that begins at `start`."""
    return _look_up(typing, tile, start, index, 16)


@intrinsic
def look_up_32(typing: Any, tile: Any, start: Any, index: Any) -> Any:
    """Return the numbers at `index`, 0 to 31, of the table of 32 that begins at `start`."""
    return _look_up(typing, tile, start, index, 32)


@intrinsic
def look_up_48(typing: Any, tile: Any, start: Any, index: Any) -> Any:
    """Return the numbers at `index`, 0 to 47, of the table of 48 that begins at `start`."""
    return _look_up(typing, tile, start, index, 48)


@intrinsic
def anywhere(typing: Any, where: Any) -> Any:
    """Return whether a condition holds in any lane."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], ir.IntType(L))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return signature(types.boolean, where), code


@intrinsic
def total_of(typing: Any, values: Any) -> Any:
    """Return the sum of integers in all lanes, as one of 64 bits."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        (number,) = args
        if number.type != vector_of(types.int64):
            number = builder.sext(number, vector_of(types.int64))
        word = ir.IntType(64)
        return called(builder, f"llvm.vector.reduce.add.v{L}i64", word, [number])

    return signature(types.int64, values), code


@intrinsic
def put_where(typing: Any, tile: Any, index: Any, where: Any, value: Any) -> Any:
    """Set the numbers that begin at an index of a tile in the lanes where a condition holds."""
    size = min(L * BYTES[tile.element], ALIGNED)

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = _place(builder, args[0], args[1], tile.element, lanes=True)
        number = in_all(builder, sig.args[3], args[3])
        kind = "f32" if tile.element == types.float32 else "f64"
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [number.type, place.type, ir.IntType(32), args[2].type]),
            f"llvm.masked.store.v{L}{kind}.p0",
        )
        builder.call(function, [number, place, ir.Constant(ir.IntType(32), size), args[2]])
        return context.get_dummy_value()

    return signature(types.none, tile, types.intp, where, fitting(value, tile.element)), code
