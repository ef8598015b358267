"""The vocabulary of `lower`: types, constants, regions and operations of StableHLO.

One `Builder` writes one module. Building operations with `ir.Operation.create` is the quickest way there is from
Python (about 3 µs an operation); types and locations are interned in a context that is kept per thread and renewed
now and then, since a context never frees them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxlib.cpu import _lapack
from jaxlib.mlir import ir
from jaxlib.mlir._mlir_libs import _jax_mlir_ext
from jaxlib.mlir.dialects import chlo, sdy, stablehlo

from ..core.program import Program
from ..core.types import ArrayType
from ..source import Source

__all__ = ["Builder", "Module", "Value"]

Value = Any

_ELEMENT = {
    "bool": "i1",
    "bfloat16": "bf16",
    "float16": "f16",
    "float32": "f32",
    "float64": "f64",
    "complex64": "complex<f32>",
    "complex128": "complex<f64>",
    "float8_e3m4": "f8E3M4",
    "float8_e4m3": "f8E4M3",
    "float8_e4m3b11fnuz": "f8E4M3B11FNUZ",
    "float8_e4m3fn": "f8E4M3FN",
    "float8_e4m3fnuz": "f8E4M3FNUZ",
    "float8_e5m2": "f8E5M2",
    "float8_e5m2fnuz": "f8E5M2FNUZ",
    "float8_e8m0fnu": "f8E8M0FNU",
}
_ELEMENT |= {f"int{bits}": f"i{bits}" for bits in (8, 16, 32, 64)}
_ELEMENT |= {f"uint{bits}": f"ui{bits}" for bits in (8, 16, 32, 64)}

_RENEW_AFTER = 200
_DEFINED = re.compile(r'(?:^module|^ +func\.func (?:public|private)) @("[^"]*"|[\w.$-]+)', re.M)
_SYMBOL = re.compile(r'(?<!custom_call )@("[^"]*"|[\w.$-]+)')  # what a custom call names is no function of the module


class _Context(threading.local):
    def __init__(self) -> None:
        self.uses = _RENEW_AFTER

    def get(self) -> Any:
        self.uses += 1
        if self.uses > _RENEW_AFTER:
            self.uses = 0
            self.context = _new_context()
            self.types: dict[Any, Any] = {}
            self.locations: dict[Any, Any] = {}
            self.attributes: dict[Any, Any] = {}
        return self.context


def _new_context() -> Any:
    registry = ir.DialectRegistry()
    _jax_mlir_ext.register_dialects(registry)
    context = ir.Context()
    context.append_dialect_registry(registry)
    context.load_all_available_dialects()
    for dialect in (stablehlo, chlo, sdy):
        dialect.register_dialect(context)
    return context


_contexts = _Context()


class Module:
    """A StableHLO module ready to be compiled, and the types of what it takes and gives."""

    def __init__(self, build: Builder, in_types: Sequence[ArrayType], out_types: Sequence[ArrayType]) -> None:
        self.module = build.module
        self.name = build.name
        self.in_types = tuple(in_types)
        self.out_types = tuple(out_types)
        self.callbacks = tuple(build.callbacks)
        self.checks = tuple(build.checks)
        self.used = frozenset(build.used)
        self._locations = build._locations

    def sources(self) -> list[Source]:
        """The user's lines that its operations may carry."""
        return [source for _, source in list(self._locations.values())]

    def text(self, debug: bool = False) -> str:
        return str(self.module.operation.get_asm(enable_debug_info=debug))

    def anonymous_text(self) -> str:
        """Its text without the user's lines and names: equal for modules that compute the same in the same way."""
        text = str(self.module.operation.get_asm(enable_debug_info=False, assume_verified=True))
        numbers: dict[str, str] = {}
        for number, name in enumerate(_DEFINED.findall(text)):
            numbers.setdefault(name, f"@{number}")
        return _SYMBOL.sub(lambda found: numbers.get(found[1], found[0]), text)


class Builder:
    """Writes StableHLO operations at the current insertion point.

    Attributes:
        in_types, out_types: of the equation that is being lowered.
        platform: "cpu", "gpu" or "tpu", for the rules where the best lowering differs.
        threaded: what effects hand from one operation to the next: under "token" a number that orders callbacks, under
            "errors" the first error so far, `1 + payload` words, of which the first is a check's number, or 0 for none.
        callbacks: the Python functions that the module calls, by number.
        used: names of the operations with any number of results that were emitted.
        checks: what the module's checks say when they fail; check number n is `checks[n - 1]`.
    """

    def __init__(self, name: str, platform: str) -> None:
        self.context = _contexts.get()
        self._types = _contexts.types
        self._locations = _contexts.locations
        self._attributes = _contexts.attributes
        self.platform = platform
        self.name = name
        self.in_types: tuple[ArrayType, ...] = ()
        self.out_types: tuple[ArrayType, ...] = ()
        self.functions: dict[Program, str] = {}
        self.threaded: dict[str, Value] = {}
        self.payload = 0
        self.callbacks: list[Callable[..., Any]] = []
        self.checks: list[Any] = []
        self.used: set[str] = set()
        self.unknown = ir.Location.unknown(self.context)
        self.location = self.unknown
        self.module = ir.Module.create(self.unknown)
        self.module.operation.attributes["sym_name"] = ir.StringAttr.get(_symbol(name), self.context)
        self.point: Any = None
        self.source: Source | None = None

    # -- types and attributes ------------------------------------------------------------------------------------

    def type(self, type: Any) -> Any:
        """The tensor type of an `ArrayType`; types of the engine pass."""
        if isinstance(type, ir.Type):
            return type
        found = self._types.get(type)
        if found is None:
            shape = "".join(f"{n}x" for n in type.shape)
            found = self._types[type] = ir.Type.parse(f"tensor<{shape}{_ELEMENT[type.dtype.name]}>", self.context)
        return found

    def element(self, dtype: np.dtype) -> Any:
        """The element type of a dtype."""
        found = self._types.get(dtype)
        if found is None:
            found = self._types[dtype] = ir.Type.parse(_ELEMENT[dtype.name], self.context)
        return found

    def attribute(self, text: str) -> Any:
        """Any attribute, from its text; remembered."""
        found = self._attributes.get(text)
        if found is None:
            found = self._attributes[text] = ir.Attribute.parse(text, self.context)
        return found

    def integers(self, values: Sequence[int]) -> Any:
        """An `array<i64: …>` attribute."""
        key = ("i64", tuple(values))
        found = self._attributes.get(key)
        if found is None:
            body = f": {', '.join(map(str, key[1]))}" if key[1] else ""
            found = self._attributes[key] = ir.Attribute.parse(f"array<i64{body}>", self.context)
        return found

    def integer(self, value: int, bits: int = 64) -> Any:
        return self.attribute(f"{value} : i{bits}")

    def boolean(self, value: bool) -> Any:
        return self.attribute("true" if value else "false")

    # -- operations ----------------------------------------------------------------------------------------------

    def op(
        self, name: str, operands: Sequence[Value], type: ArrayType, attributes: dict[str, Any] | None = None
    ) -> Value:
        """Emit `stablehlo.<name>` (or a full name with a dot) with one result of `type`."""
        # Hot while lowering.
        return ir.Operation.create(
            name if "." in name else "stablehlo." + name,
            results=(self._types.get(type) or self.type(type),),
            operands=operands,
            attributes=attributes,
            loc=self.location,
            ip=self.point,
        ).results[0]

    def ops(
        self,
        name: str,
        operands: Sequence[Value],
        types: Sequence[Any],
        attributes: dict[str, Any] | None = None,
        regions: Sequence[tuple[Sequence[Any], Callable[..., Sequence[Value]]]] = (),
    ) -> tuple[Value, ...]:
        """Emit an operation with any number of results and regions.

        Each region is (block argument types, function from block arguments to the values it returns).
        """
        self.used.add(name)
        operation = ir.Operation.create(
            name if "." in name else "stablehlo." + name,
            results=[self.type(t) for t in types],
            operands=list(operands),
            attributes=attributes,
            regions=len(regions),
            loc=self.location,
            ip=self.point,
        )
        for region, (argument_types, body) in zip(operation.regions, regions, strict=True):
            self.fill(region, argument_types, body)
        return tuple(operation.results)

    def fill(self, region: Any, argument_types: Sequence[Any], body: Callable[..., Sequence[Value]]) -> None:
        """Give a region its one block: arguments of the given types, then `stablehlo.return` of what `body` returns."""
        locations = [self.unknown] * len(argument_types)
        block = region.blocks.append(*[self.type(t) for t in argument_types], arg_locs=locations)
        outer = self.point
        self.point = ir.InsertionPoint(block)
        try:
            results = body(*block.arguments)
            ir.Operation.create("stablehlo.return", operands=list(results), loc=self.location, ip=self.point)
        finally:
            self.point = outer

    def constant(self, value: Any, type: ArrayType) -> Value:
        """A constant filled with one scalar."""
        scalar: Any = np.asarray(value, type.dtype)
        if type.dtype.kind == "c":  # the bindings cannot represent complex attributes
            part = type.update(dtype=scalar.real.dtype)
            return self.op("complex", (self.constant(scalar.real, part), self.constant(scalar.imag, part)), type)
        key = (scalar.tobytes(), type)
        filled = self._attributes.get(key)
        if filled is None:
            filled = self._attributes[key] = self._dense(scalar, type)
        return self.op("constant", (), type, {"value": filled})

    def _dense(self, scalar: np.ndarray, type: ArrayType) -> Any:
        name = type.dtype.name
        if name == "bool":
            body = "true" if scalar else "false"
        elif name.startswith(("int", "uint")):
            body = str(int(scalar))
        else:
            body = _hexadecimal(scalar, type.dtype)
        return ir.Attribute.parse(f"dense<{body}> : {self.type(type)}", self.context)

    def array_constant(self, value: np.ndarray) -> Value:
        """A small constant array written out (index tables; large arrays are inputs, never constants)."""
        type = ArrayType(value.shape, value.dtype)
        if value.size == 0 or value.ndim == 0:
            return self.constant(value if value.ndim == 0 else 0, type)
        body = np.array2string(value.astype(int), separator=",", threshold=value.size + 1)
        attribute = ir.Attribute.parse(f"dense<{body}> : {self.type(type)}", self.context)
        return self.op("constant", (), type, {"value": attribute})

    def convert(self, value: Value, source: ArrayType, dtype: np.dtype) -> Value:
        """`value` (of type `source`) converted to `dtype`."""
        return value if source.dtype == dtype else self.op("convert", (value,), source.update(dtype=dtype))

    def broadcast(self, value: Value, type: ArrayType, dimensions: Sequence[int]) -> Value:
        """`broadcast_in_dim`: operand axis i becomes result axis `dimensions[i]`."""
        return self.op("broadcast_in_dim", (value,), type, {"broadcast_dimensions": self.integers(dimensions)})

    def compare(self, direction: str, a: Value, b: Value, operand: ArrayType, total_order: bool = False) -> Value:
        """A boolean comparison; `direction` is EQ, NE, LT, LE, GT or GE."""
        dtype = operand.dtype.name
        kind = "FLOAT"
        if total_order:
            kind = "TOTALORDER"
        elif dtype.startswith(("uint", "bool")):
            kind = "UNSIGNED"
        elif dtype.startswith("int"):
            kind = "SIGNED"
        attributes = {
            "comparison_direction": self.attribute(f"#stablehlo<comparison_direction {direction}>"),
            "compare_type": self.attribute(f"#stablehlo<comparison_type {kind}>"),
        }
        return self.op("compare", (a, b), operand.update(dtype=np.dtype(np.bool_)), attributes)

    # -- what effects hand on -----------------------------------------------------------------------------------

    def start_threads(self, keys: Sequence[str], payload: int) -> None:
        """Begin the module's main function: nothing happened yet."""
        self.payload = payload
        for key, type in zip(keys, self.thread_types(keys), strict=True):
            self.threaded[key] = self.constant(0, type)

    @property
    def errors_type(self) -> ArrayType:
        """The type of the vector that holds the first error: its check's number, and the check's payload."""
        return ArrayType((1 + self.payload,), np.dtype(np.uint32))

    def thread_types(self, keys: Sequence[str]) -> list[ArrayType]:
        """The types of `threads(keys)`. The number that orders callbacks, a uint32[], is 0, but nobody can tell."""
        return [ArrayType((), np.dtype(np.uint32)) if key == "token" else self.errors_type for key in keys]

    def threads(self, keys: Sequence[str]) -> list[Value]:
        """The present values, to hand to a region, function or loop that has effects."""
        return [self.threaded[key] for key in keys]

    def take_threads(self, keys: Sequence[str], results: Sequence[Value]) -> tuple[Value, ...]:
        """Split the last results of an operation with effects off: what follows goes on from them."""
        count = len(results) - len(keys)
        self.threaded.update(zip(keys, results[count:], strict=True))
        return tuple(results[:count])

    def with_threads(self, keys: Sequence[str], body: Callable[..., Sequence[Value]], given: bool = True) -> Any:
        """The body of a region or function that also takes (if `given`) and returns what its effects hand on."""

        def threaded(*args: Value) -> list[Value]:
            outer = self.threaded
            self.threaded = dict(outer)
            if given and keys:
                args = self.take_threads(keys, args)
            results = [*body(*args), *self.threads(keys)]
            self.threaded = outer
            return results

        return threaded

    def call_python(
        self, function: Callable[..., Any], operands: Sequence[Value], ordered: bool, side_effect: bool
    ) -> tuple[Value, ...]:
        """Call a Python function in the program.

        It gets a read-only NumPy view of each operand, valid during the call, and must return a tuple of contiguous
        NumPy arrays of exactly the result types: the engine checks nothing and reads whatever memory that makes.

        Args:
            function: what to call.
            operands: values of `in_types`; results are of `out_types`.
            ordered: whether to call it after the ordered calls that were emitted before.
            side_effect: whether to call it even if its results are not used.
        """
        self.callbacks.append(_with_number(function) if ordered else function)
        ranks = [type.ndim for type in self.in_types], [type.ndim for type in self.out_types]
        keys = ["token"] * ordered
        attributes = {
            "call_target_name": ir.StringAttr.get(f"xla_ffi_python_{self.platform}_callback", self.context),
            "api_version": self.integer(4, 32),
            "backend_config": self.attribute(f"{{index = {len(self.callbacks) - 1} : ui64}}"),
            "has_side_effect": self.boolean(side_effect),
            "operand_layouts": self.attribute(_layouts(map(_row_major, [0] * ordered + ranks[0]))),
            "result_layouts": self.attribute(_layouts(map(_row_major, [0] * ordered + ranks[1]))),
        }
        types = [*self.thread_types(keys), *self.out_types]
        results = self.ops("custom_call", [*self.threads(keys), *operands], types, attributes)
        self.threaded.update(zip(keys, results[: len(keys)], strict=True))
        return results[len(keys) :]

    def call_library(
        self,
        target: str,
        operands: Sequence[Value],
        types: Sequence[ArrayType],
        layouts: tuple[Sequence[Sequence[int]], Sequence[Sequence[int]]],
        attributes: Mapping[str, str],
    ) -> tuple[Value, ...]:
        """Call a function that the engine's libraries register under the name `target`.

        Args:
            target: its name; nothing checks before the program runs that there is one.
            operands: what it takes.
            types: of its results.
            layouts: of each operand and of each result, its axes from the one that varies fastest. The engine brings
                operands into them; a function that finds others than it assumes reads wrong numbers silently.
            attributes: its static parameters by name, each as the text of an attribute.
        """
        if target.startswith("lapack_"):
            _lapack.initialize()  # finds SciPy's LAPACK, once a process
        body = ", ".join(f"{name} = {text}" for name, text in attributes.items())
        fields = {
            "call_target_name": ir.StringAttr.get(target, self.context),
            "api_version": self.integer(4, 32),
            "backend_config": self.attribute(f"{{{body}}}"),
            "operand_layouts": self.attribute(_layouts(layouts[0])),
            "result_layouts": self.attribute(_layouts(layouts[1])),
        }
        return self.ops("custom_call", operands, types, fields)

    # -- functions and locations ---------------------------------------------------------------------------------

    def at(self, source: Source | None, name: str) -> None:
        """Let what follows carry the user's line."""
        self.source = source
        if source is None:
            self.location = self.unknown
            return
        key = (id(source.code), source.instruction, name)  # by identity: hashing a code object is slow
        found = self._locations.get(key)
        if found is None:
            place = ir.Location.file(source.file, source.line, 1, context=self.context)
            found = self._locations[key] = (ir.Location.name(name, place, context=self.context), source)
        self.location = found[0]

    def function(
        self,
        name: str,
        in_types: Sequence[Any],
        out_types: Sequence[Any],
        body: Callable[..., Sequence[Value]],
        public: bool = False,
        argument_attributes: Mapping[int, Mapping[str, str]] = MappingProxyType({}),
    ) -> None:
        """Add a function to the module; `body` maps its arguments to its results.

        `argument_attributes` gives, for the arguments that have any, their attributes as text.
        """
        signature = ir.FunctionType.get(
            [self.type(t) for t in in_types], [self.type(t) for t in out_types], self.context
        )
        attributes = {
            "sym_name": ir.StringAttr.get(name, self.context),
            "function_type": ir.TypeAttr.get(signature, self.context),
            "sym_visibility": ir.StringAttr.get("public" if public else "private", self.context),
        }
        if argument_attributes:
            attributes["arg_attrs"] = self._argument_attributes(len(in_types), argument_attributes)
        outer_point, outer_location = self.point, self.location
        operation = ir.Operation.create(
            "func.func", attributes=attributes, regions=1, loc=self.unknown, ip=ir.InsertionPoint(self.module.body)
        )
        locations = [self.unknown] * len(in_types)
        block = operation.regions[0].blocks.append(*[self.type(t) for t in in_types], arg_locs=locations)
        self.point = ir.InsertionPoint(block)
        results = body(*block.arguments)
        ir.Operation.create("func.return", operands=list(results), loc=self.unknown, ip=self.point)
        self.point, self.location = outer_point, outer_location  # not after an error, which tells where it was

    def _argument_attributes(self, count: int, given: Mapping[int, Mapping[str, str]]) -> Any:
        rows = [{name: self.attribute(text) for name, text in given.get(i, {}).items()} for i in range(count)]
        return ir.ArrayAttr.get([ir.DictAttr.get(row, self.context) for row in rows], self.context)

    def call(self, name: str, operands: Sequence[Value], out_types: Sequence[Any]) -> tuple[Value, ...]:
        """Call a function of this module."""
        callee = ir.FlatSymbolRefAttr.get(name, self.context)
        return self.ops("func.call", operands, out_types, {"callee": callee})


_DONE = np.zeros((), np.uint32)


def _with_number(function: Callable[..., Any]) -> Callable[..., Any]:
    """An ordered call takes a number, which is a result of the one before, and returns one, which the next takes.

    StableHLO's own tokens would say the same, but some engines fail on a conditional whose only result is a token.
    """
    return lambda number, *operands: (_DONE, *function(*operands))


def _row_major(rank: int) -> Sequence[int]:
    """The axes from the one that varies fastest, where that is the last one."""
    return range(rank)[::-1]


def _layouts(orders: Iterable[Sequence[int]]) -> str:
    """The layouts of operands or results, each its axes from the one that varies fastest, as an attribute's text."""
    return f"[{', '.join(f'dense<{list(order) or str()}> : tensor<{len(order)}xindex>' for order in orders)}]"


def _symbol(name: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "_" for c in name) or "program"


def _hexadecimal(value: Any, dtype: np.dtype) -> str:
    bits = np.asarray(value, dtype).reshape(1).view(f"u{dtype.itemsize}")[0]
    return f"0x{int(bits):0{2 * dtype.itemsize}X}"
