# ruff: noqa: ARG001, ARG002 - numba hands all that it has to what lowers a function
# mypy: disable-error-code="import-untyped,no-untyped-call"
"""All lanes of a row as one value: types that numba compiles to vectors, and their operators.

A row of a tile is L numbers side by side. Written as a loop over lanes, a row's arithmetic is fast
only if a compiler decides to run the lanes together; here `Lanes` is a vector of L numbers from the
start, and an operator one instruction. `Tile` is where rows stand in memory. Needs numba.
"""

import operator
from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, models, register_model

from soullink.modules.simulation.domain.fast.rows import L

ALIGNED: Final = 64
"""Bytes: a row begins where a cache line does."""


class Lanes(types.Type):
    """L numbers or truth values."""

    def __init__(self, element: Any) -> None:
        self.element = element
        super().__init__(name=f"Lanes({element})")


class Tile(types.Type):
    """The address of rows of L numbers each."""

    def __init__(self, element: Any) -> None:
        self.element = element
        super().__init__(name=f"Tile({element})")


ELEMENTS: Final = {
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
    types.int32: ir.IntType(32),
    types.int64: ir.IntType(64),
    types.uint64: ir.IntType(64),
    types.uint8: ir.IntType(8),
    types.boolean: ir.IntType(1),
}
BYTES: Final = {
    types.float32: 4,
    types.float64: 8,
    types.int64: 8,
    types.uint64: 8,
    types.uint8: 1,
}


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.VectorType(ELEMENTS[kind.element], L))


@register_model(Tile)
class _TileModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.PointerType(ELEMENTS[kind.element]))


def vector_of(element: Any) -> Any:
    """Return the machine's type of lanes of `element`."""
    return ir.VectorType(ELEMENTS[element], L)


def is_real(element: Any) -> bool:
    """Return whether `element` is a real number and no integer or truth value."""
    return isinstance(element, types.Float)


def in_all(builder: Any, kind: Any, value: Any) -> Any:
    """Return `value` in every lane, if it is not lanes already."""
    if isinstance(kind, Lanes):
        return value
    if isinstance(kind, types.Boolean) and value.type != ir.IntType(1):
        value = builder.trunc(value, ir.IntType(1))
    vector = ir.VectorType(value.type, L)
    if isinstance(value, ir.Constant):
        return ir.Constant(vector, [value] * L)
    index = ir.IntType(32)
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(index, 0))
    zeros = ir.Constant(ir.VectorType(index, L), [0] * L)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)


def called(builder: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    """Return what a function of the compiler by this name makes of `arguments`."""
    kind = ir.FunctionType(result, [a.type for a in arguments])
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(function, arguments)


def element_of(*kinds: Any) -> Any:
    """Return the element of the first lanes among `kinds`; None where there are none."""
    return next((kind.element for kind in kinds if isinstance(kind, Lanes)), None)


def fitting(kind: Any, element: Any) -> Any:
    """Return what an argument becomes beside lanes of `element`; None where it cannot."""
    if isinstance(kind, Lanes):
        return kind if kind.element == element else None
    if isinstance(kind, types.Number | types.Boolean | types.Literal):
        return element
    return None


def _operation(op: Any, emit: Callable[[Any, Any, Any, Any], Any], truth: bool) -> None:
    class Template(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            element = element_of(*args)
            if element is None or kws or len(args) != 2:
                return None
            taken = [fitting(kind, element) for kind in args]
            if None in taken:
                return None
            return signature(Lanes(types.boolean if truth else element), *taken)

    infer_global(op)(Template)

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        element = element_of(*sig.args)
        a, b = (in_all(builder, kind, v) for kind, v in zip(sig.args, args, strict=True))
        return emit(builder, element, a, b)

    for kinds in ((Lanes, Lanes), (Lanes, types.Any), (types.Any, Lanes)):
        lower_builtin(op, *kinds)(lower)


def _arithmetic(name: str) -> Callable[[Any, Any, Any, Any], Any]:
    def emit(builder: Any, element: Any, a: Any, b: Any) -> Any:
        return getattr(builder, f"f{name}" if is_real(element) else name)(a, b)

    return emit


def _comparison(op: str) -> Callable[[Any, Any, Any, Any], Any]:
    def emit(builder: Any, element: Any, a: Any, b: Any) -> Any:
        if is_real(element):
            # Not equal is true of what is not a number; nothing here ever is.
            return (builder.fcmp_unordered if op == "!=" else builder.fcmp_ordered)(op, a, b)
        signed = element in {types.int32, types.int64}
        return (builder.icmp_signed if signed else builder.icmp_unsigned)(op, a, b)

    return emit


def _plain(name: str) -> Callable[[Any, Any, Any, Any], Any]:
    return lambda builder, _, a, b: getattr(builder, name)(a, b)


for _op, _name in (
    (operator.add, "add"), (operator.sub, "sub"), (operator.mul, "mul"), (operator.truediv, "div"),
):  # fmt: skip
    _operation(_op, _arithmetic(_name), truth=False)
for _op, _name in (
    (operator.and_, "and_"), (operator.or_, "or_"), (operator.xor, "xor"),
    (operator.lshift, "shl"), (operator.rshift, "lshr"),
):  # fmt: skip
    _operation(_op, _plain(_name), truth=False)
for _op, _name in (
    (operator.lt, "<"), (operator.le, "<="), (operator.gt, ">"), (operator.ge, ">="),
    (operator.eq, "=="), (operator.ne, "!="),
):  # fmt: skip
    _operation(_op, _comparison(_name), truth=True)


@infer_global(operator.neg)
@infer_global(operator.not_)
class _One(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        return signature(args[0], args[0]) if isinstance(args[0], Lanes) else None


@lower_builtin(operator.neg, Lanes)
def _negative(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.fneg(args[0])


@lower_builtin(operator.not_, Lanes)
def _not(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.not_(args[0])
