"""From plain Python over tiles to source that numba can compile.

A loop over all lanes `i` becomes statements about rows as a whole, which `vectors` compiles; a loop
over single lanes stays one. Loops over UNROLL are written out, numbers of the equations become
literals of the kernel's precision, and the choice comes from `choice.py`. The text follows from the
equations alone: its digest, with that of `vectors`, names it.
"""

import ast
import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal, TypeGuard

import numpy as np
import platformdirs

from soullink.modules.simulation.domain.fast import (
    beginning,
    between,
    cells,
    choice,
    draws,
    drive,
    happenings,
    lanes,
    maths,
    recollections,
    rows,
)

Precision = Literal["float32", "float64"]
ROUNDING: Final = 2
"""Counted up by hand with every change that moves the last digits of single precision."""
vectors_name: Final = "soullink.modules.simulation.domain.fast.vectors"
_MODULES: Final = (maths, cells, draws, lanes, recollections, happenings, beginning, between, drive)
_TILES: Final = {"x", "k", "log", "s", "tally"}
_NAMES: Final = ("exp", "exp_2", "log", "cos_2pi", "to_unit", "double_of", "real_of_double")
_PRIMITIVES: Final = (
    "anywhere", "bits_of", "byte", "cos_of", "double_of_single", "double_of_word", "exp2_of",
    "exp_of", "floor", "larger", "log_of", "long_of", "look_up_16", "look_up_32", "look_up_48",
    "magnitude", "of_bits", "pick", "put_where", "rint", "shifted", "single_of_double",
    "single_of_whole", "single_of_word", "smaller", "sqrt", "tile_of", "total_of", "whole",
)  # fmt: skip
"""What `vectors` has in the place of a function of the same name."""
_FASTMATH: Final[Mapping[Precision, str]] = {
    # No reordering: the same on every run, and lanes are computed alike wherever they stand.
    # Nor does the compiler choose what is rounded once: that would be another choice in the
    # process that compiles than in those that load. `_Fold` writes it down: `fused`.
    "float32": '{"nnan", "ninf", "nsz"}',
    "float64": "False",
}


class _Fold(ast.NodeTransformer):
    """Writes loops out and puts numbers in the place of their names."""

    def __init__(self, names: Mapping[str, Any], local: set[str], fuses: bool) -> None:
        self._names = {name: value for name, value in names.items() if name not in local}
        self._fuses = fuses

    def visit_For(self, node: ast.For) -> Any:
        call = node.iter
        if ast.unparse(call) == "range(L)" and ast.unparse(node.target) == "i":
            return [made for statement in node.body for made in self._made(statement)]
        if not (isinstance(call, ast.Call) and ast.unparse(call.func) == "UNROLL"):
            return self.generic_visit(node)
        times = self.visit(call.args[0])
        if not (isinstance(times, ast.Constant) and isinstance(node.target, ast.Name)):
            raise TypeError("UNROLL takes a number that is known when the source is made")
        out: list[ast.stmt] = []
        for number in range(int(str(times.value))):
            inner = _Fold({**self._names, node.target.id: number}, set(), self._fuses)
            for statement in node.body:
                out += inner._made(ast.parse(ast.unparse(statement)).body[0])
        return out

    def _made(self, statement: ast.stmt) -> list[ast.stmt]:
        made = self.visit(statement)
        return made if isinstance(made, list) else [made]

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        node.value = self.visit(node.value)
        (target,) = node.targets
        stored = self._stored(target, node.value)
        if stored is None:
            node.targets = [self.visit(target)]
        return stored or node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        node.value = self.visit(node.value)
        now = ast.parse(ast.unparse(node.target), mode="eval").body
        stored = self._stored(
            node.target, self._joined(ast.BinOp(self.visit(now), node.op, node.value))
        )
        if stored is None:
            node.target = self.visit(node.target)
        return stored or node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [part for part in node.args if not _is_lane(part)]
        return self.generic_visit(node)  # type: ignore[return-value]

    def _stored(self, target: ast.expr, value: ast.expr) -> ast.stmt | None:
        """Return how a row of a tile, or one number of it, is set; None where it is none."""
        if not (isinstance(target, ast.Subscript) and ast.unparse(target.value) in _TILES):
            return None
        place = self._place(target)
        name = "put_row" if _all_lanes(target) else "put_lane"
        return ast.Expr(ast.Call(ast.Name(name, ast.Load()), [*place, value], []))

    def _place(self, node: ast.Subscript) -> list[ast.expr]:
        """Return a tile's name and the index of a row, or of one lane in it."""
        if not isinstance(node.slice, ast.Tuple):
            return [node.value, self.visit(node.slice)]
        row, lane = node.slice.elts
        start = _folded(ast.BinOp(self.visit(row), ast.Mult(), ast.Constant(rows.L)))
        if not _all_lanes(node):
            start = _folded(ast.BinOp(start, ast.Add(), self.visit(lane)))
        return [node.value, start]

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self._names.get(node.id)
        if isinstance(node.ctx, ast.Load) and isinstance(value, int | float):
            return ast.Constant(value)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if ast.unparse(node.value) in _TILES:
            name = "get_row" if _all_lanes(node) else "get_lane"
            return ast.Call(ast.Name(name, ast.Load()), self._place(node), [])
        self.generic_visit(node)
        name = ast.unparse(node.value)
        if isinstance(node.slice, ast.Constant):
            table = self._names.get(name)
            if isinstance(table, dict):
                return ast.Constant(table[node.slice.value])
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        return self._joined(_folded(node))

    def _joined(self, node: ast.expr) -> ast.expr:
        """Return a sum of which one part is a product as `fused`, which rounds once."""
        if not (self._fuses and isinstance(node, ast.BinOp)):
            return node
        minus = isinstance(node.op, ast.Sub)
        if not (minus or isinstance(node.op, ast.Add)):
            return node
        left, right = node.left, node.right
        if _is_product(right):
            first = _folded(ast.UnaryOp(ast.USub(), right.left)) if minus else right.left
            return _call("fused", first, right.right, left)
        if _is_product(left):
            last = _folded(ast.UnaryOp(ast.USub(), right)) if minus else right
            return _call("fused", left.left, left.right, last)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return _folded(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        test = node.test
        if isinstance(test, ast.Compare) and isinstance(test.left, ast.Constant):
            held = bool(eval(ast.unparse(test), {}))  # noqa: S307 - constants of our own source
            return node.body if held else node.orelse
        return node


class _Type(ast.NodeTransformer):
    """Gives literals with a decimal point the kernel's precision: each number gets a name."""

    def __init__(self, numbers: dict[float, str]) -> None:
        self._numbers = numbers

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, float):
            name = self._numbers.setdefault(node.value, f"N_{len(self._numbers)}")
            return ast.Name(name, ast.Load())
        return node


def _all_lanes(node: ast.Subscript) -> bool:
    """Return whether a tile's row is meant and not one number of it."""
    return isinstance(node.slice, ast.Tuple) and _is_lane(node.slice.elts[1])


def _is_lane(node: ast.expr) -> bool:
    """Return whether an expression is `i`, all lanes at once."""
    return isinstance(node, ast.Name) and node.id == "i"


def _is_product(node: ast.expr) -> TypeGuard[ast.BinOp]:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def _folded(node: ast.BinOp | ast.UnaryOp) -> ast.expr:
    parts = [node.operand] if isinstance(node, ast.UnaryOp) else [node.left, node.right]
    if all(isinstance(part, ast.Constant) for part in parts) and not isinstance(node.op, ast.Not):
        value = eval(ast.unparse(node), {})  # noqa: S307 - constants of our own source
        return ast.Constant(value)
    return node


def _function(
    node: ast.FunctionDef, names: Mapping[str, Any], numbers: dict[float, str], fuses: bool
) -> ast.FunctionDef:
    if isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
        node.body = node.body[1:]
    node.returns = None
    node.args.args = [ast.arg(taken.arg) for taken in node.args.args if taken.arg != "i"]
    local = {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    local |= {argument.arg for argument in node.args.args}
    folded = _Fold(names, local, fuses).visit(node)
    return ast.fix_missing_locations(_Type(numbers).visit(folded))  # type: ignore[no-any-return]


def _functions(
    text: str, names: Mapping[str, Any], numbers: dict[float, str], fuses: bool
) -> dict[str, str]:
    return {
        node.name: ast.unparse(_function(node, names, numbers, fuses))
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef)
    }


def text_of(precision: Precision) -> str:
    """Return the source of the whole kernel; `live` is its entry."""
    ending = f"_{precision.removeprefix('float')}"
    found: dict[str, str] = {}
    numbers: dict[float, str] = {}
    fuses = precision == "float32"
    for module in _MODULES:
        found |= _functions(inspect.getsource(module), vars(module), numbers, fuses)
    for made in (
        choice.base_source(), choice.power_source(precision), choice.choose_source(precision)
    ):  # fmt: skip
        found |= _functions(made, vars(rows) | vars(maths), numbers, fuses)
    for name in _NAMES:
        chosen = found.pop(f"{name}{ending}")
        found.pop(f"{name}_{'64' if ending == '_32' else '32'}")
        found[name] = chosen.replace(f"def {name}{ending}(", f"def {name}(")
    for name in ("real", *_PRIMITIVES):
        found.pop(name, None)
    maths_names = {
        name for module in (maths, cells) for name, value in vars(module).items() if callable(value)
    }
    taken = ", ".join(("fused", "get_lane", "get_row", "put_lane", "put_row", *_PRIMITIVES))
    out = [
        "import numpy as np",
        "from numba import njit",
        f"from {vectors_name} import {taken}",
        f"F = real = np.{precision}",
    ]
    for name, value in sorted(vars(rows).items()):
        if isinstance(value, np.ndarray):
            out.append(f"{name} = np.array({value.tolist()!r}, dtype=F)")
    out += [f"{name} = F({number!r})" for number, name in numbers.items()]
    for name, text in found.items():
        more = ", no_cpython_wrapper=True, no_cfunc_wrapper=True"
        if name in maths_names:
            more = ", forceinline=True"
        more = ", cache=CACHED" if name == "live" else more
        out.append(f'@njit(error_model="numpy", nogil=True, fastmath={_FASTMATH[precision]}{more})')
        out.append(text)
    return "\n".join(out) + "\n"


def _folder() -> Path:
    return Path(platformdirs.user_cache_path("soullink", appauthor=False)) / "dynamics"


@contextmanager
def alone(module: ModuleType) -> Iterator[None]:
    """Hold back other processes while this one compiles, so that they find what it made.

    Does nothing where files cannot be locked or written.
    """
    with ExitStack() as stack:
        with suppress(ImportError, OSError):
            import fcntl  # noqa: PLC0415 - not on every system

            lock = stack.enter_context((_folder() / f"{module.__name__}.lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _vectors_text() -> str:
    """Return the source of what the kernel imports, which is not imported here: it needs numba."""
    parts = (Path(__file__).parent / name for name in ("lane_types.py", "vectors.py"))
    return "".join(part.read_text(encoding="utf-8") for part in parts)


@lru_cache(maxsize=2)
def compiled(precision: Precision) -> ModuleType:
    """Return the kernel as a module; numba compiles `live` when it is first called.

    The source is written below the user's cache folder, where numba keeps the compiled code beside
    it; where that cannot be written, it is compiled in this process alone.
    """
    import numba  # noqa: PLC0415 - an extra

    text = text_of(precision)
    digest = hashlib.sha256(f"{numba.__version__}{text}{_vectors_text()}".encode()).hexdigest()[:16]
    name = f"soullink_dynamics_{precision}_{digest}"
    folder = _folder()
    path = folder / f"{name}.py"
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(f".{id(text)}.tmp")
            draft.write_text(f"CACHED = True\n{text}", encoding="utf-8")
            draft.replace(path)
    except OSError:
        module = ModuleType(name)
        exec(compile(f"CACHED = False\n{text}", name, "exec"), vars(module))  # noqa: S102 - ours
        return module
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
