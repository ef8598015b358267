"""Gives Array and Tracer their operators, methods and NumPy protocols: the one inversion in the house.

Importing this module installs them. Operators return NotImplemented for operands that are no numbers, so that other
libraries' classes may answer.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..backend.array import Array
from ..backend.client import Device, find_device
from ..core.dtypes import DTypeLike, canonical, is_complex, real_dtype
from ..core.primitive import Primitive
from ..core.trace import Tracer
from ..errors import ArgumentError, DTypeError, ImmutableError, ShapeError
from ..ops import elementwise as ops
from ..ops.complex_parts import complex_
from ..ops.placement import DevicePut
from ..ops.structure import bitcast_convert_type
from ..ops.structure import reshape as reshape_op
from . import (
    contraction,
    elementwise,
    joining,
    logic,
    number_parts,
    places,
    reductions,
    shape,
    sorting,
    transcendental,
    types,
)
from .at import At
from .conversion import SCALARS, known
from .editing import repeat
from .indexing import getitem, nonzero, take

__all__ = ["install"]

_OPERANDS = (Array, Tracer, np.ndarray, np.number, np.bool_, *SCALARS)


# -- operators -------------------------------------------------------------------------------------------------------


def _operator(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(self: Any, other: Any) -> Any:
        # Hot (benchmark: eager): the usual operands first.
        if type(other) is type(self) or type(other) in SCALARS or isinstance(other, _OPERANDS):
            return function(self, other)
        return NotImplemented

    return apply


def _traced_operator(function: Callable[[Any, Any], Any], op: Primitive) -> Callable[[Any, Any], Any]:
    """`function` as a tracer's operator; straight to `op` for two tracers of one floating type."""
    general = _operator(function)

    def apply(self: Any, other: Any) -> Any:
        # Hot (benchmark: tracing).
        if isinstance(other, Tracer):
            type = self.type
            if other.type is type and type.dtype.kind in "fc":
                return op(self, other)
        return general(self, other)

    return apply


def _reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(self: Any, other: Any) -> Any:
        return function(other, self) if isinstance(other, _OPERANDS) else NotImplemented

    return apply


_TRACED = {"add": ops.add, "sub": ops.sub, "mul": ops.mul, "truediv": ops.div}

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": elementwise.add,
    "sub": elementwise.subtract,
    "mul": elementwise.multiply,
    "truediv": elementwise.divide,
    "floordiv": elementwise.floor_divide,
    "mod": elementwise.remainder,
    "divmod": elementwise.divmod,
    "pow": elementwise.power,
    "matmul": contraction.quick_matmul,
    "and": logic.bitwise_and,
    "or": logic.bitwise_or,
    "xor": logic.bitwise_xor,
    "lshift": logic.left_shift,
    "rshift": logic.right_shift,
}

_COMPARISONS = {
    "eq": logic.equal,
    "ne": logic.not_equal,
    "lt": logic.less,
    "le": logic.less_equal,
    "gt": logic.greater,
    "ge": logic.greater_equal,
}

_UNARY = {
    "neg": elementwise.negative,
    "pos": elementwise.positive,
    "abs": elementwise.absolute,
    "invert": logic.bitwise_not,
}


def _power(self: Any, other: Any, modulo: None = None) -> Any:
    if modulo is not None:
        raise ArgumentError("pow(x, y, z) is not there for arrays; write (x ** y) % z")
    return elementwise.power(self, other) if isinstance(other, _OPERANDS) else NotImplemented


def _round(self: Any, ndigits: int | None = None) -> Any:
    return elementwise.round(self, ndigits or 0)


# -- the Python value ------------------------------------------------------------------------------------------------


def _single(self: Any, wanted: str) -> Any:
    """The one element of an array as a Python number."""
    host = known(self, wanted)
    if host.size != 1:
        raise ArgumentError(f"{wanted} takes an array of one element, got shape {host.shape}")
    return host.reshape(()).item()


def _truth(self: Any) -> bool:
    if self.type.size != 1:
        raise ArgumentError(
            f"the truth value of an array of shape {self.shape} is ambiguous; use x.any() or x.all(), "
            f"or & | ~ in place of and, or, not"
        )
    if isinstance(self, Tracer) and self.concrete() is None:
        condition = self if self.dtype == np.bool_ else logic.not_equal(self, 0)
        return reshape_op(condition, ()).decide()
    return bool(_single(self, "bool(x)"))


def _int(self: Any) -> int:
    return int(_single(self, "int(x)"))


def _float(self: Any) -> float:
    return float(_single(self, "float(x)"))


def _complex(self: Any) -> complex:
    return complex(_single(self, "complex(x)"))


def _index(self: Any) -> int:
    if self.dtype.kind not in "iu" or self.ndim:
        raise DTypeError(f"only integer arrays of no dimensions can be an index, got {self.type}")
    return operator.index(_single(self, "an index"))


def _item(self: Any, *args: int) -> Any:
    """The only element, or the one at a flat or full index, as a Python number."""
    if not args:
        return _single(self, "x.item()")
    return known(self, "x.item()").item(*args)


def _tolist(self: Any) -> Any:
    """The elements as nested lists of Python numbers."""
    return known(self, "x.tolist()").tolist()


def _length(self: Any) -> int:
    if not self.shape:
        raise DTypeError("len(x) of an array of no dimensions")
    return self.shape[0]


def _iterate(self: Any) -> Iterator[Any]:
    if not self.shape:
        raise DTypeError("iteration over an array of no dimensions")
    return (getitem(self, i) for i in range(self.shape[0]))


def _contains(self: Any, value: Any) -> bool:
    return bool(reductions.any(logic.equal(self, value)))


def _tracer_array(self: Tracer, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    host = known(self, "np.asarray(x)")
    return Array(host).__array__(dtype, copy)


def _tracer_format(self: Tracer, spec: str) -> str:
    return format(_single(self, f"formatting with {spec!r}"), spec) if spec else repr(self)


def _tracer_repr(self: Tracer) -> str:
    return f"Tracer({self.type}, {self.made_by.described()})"


# -- immutability ----------------------------------------------------------------------------------------------------


def _set_item(self: Any, index: Any, value: Any = None) -> None:
    raise ImmutableError(
        "arrays are immutable: x[i] = v is not there. Write instead\n"
        "    x = x.at[i].set(v)\n"
        "or x = x.at[i].add(v) in place of x[i] += v."
    )


# -- NumPy's protocols -----------------------------------------------------------------------------------------------


def _array_ufunc(self: Any, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """Let np.sin(x) and np_array + x run our function of that name."""
    function = _UFUNCS.get(ufunc.__name__)
    if method == "__call__":
        if function is not None and not options:
            return function(*inputs)
    elif method == "at" and isinstance(inputs[0], (Array, Tracer)):
        raise ImmutableError(
            f"np.{ufunc.__name__}.at(x, …): arrays are immutable; write x = fnp.{ufunc.__name__}.at(x, …)"
        )
    elif "out" not in options and hasattr(function, method):
        return getattr(function, method)(*inputs, **options)
    if any(isinstance(x, (Array, Tracer)) for x in options.get("out", ())):
        raise ImmutableError(f"np.{ufunc.__name__}(…, out=x): arrays are immutable; bind the result to a name instead")
    return getattr(ufunc, method)(*(np.asarray(x) if isinstance(x, (Array, Tracer)) else x for x in inputs), **options)


_UFUNCS = {
    name: function
    for module in (elementwise, logic, number_parts, transcendental, contraction)
    for name in module.__all__
    if callable(function := getattr(module, name))
} | {"divmod": elementwise.divmod, "fabs": elementwise.fabs}


# -- methods ---------------------------------------------------------------------------------------------------------


def _reshape(self: Any, *args: Any, order: str = "C", copy: bool | None = None) -> Any:
    """The same elements under another shape: `x.reshape(2, 3)` or `x.reshape((2, 3))`; one length may be -1."""
    return shape.reshape(self, args[0] if len(args) == 1 else args, order)


def _transpose(self: Any, *axes: Any) -> Any:
    """The axes in another order, by default reversed: `x.transpose(1, 0)` or `x.transpose((1, 0))`."""
    if not axes or axes == (None,):
        return shape.transpose(self)
    return shape.transpose(self, axes[0] if len(axes) == 1 and isinstance(axes[0], tuple | list) else axes)


def _flatten(self: Any, order: str = "C") -> Any:
    """All elements in one axis."""
    return shape.ravel(self, order) if order != "C" else reshape_op(self, (self.type.size,))


def _astype(self: Any, dtype: DTypeLike, copy: bool = True) -> Any:
    """The same values in another dtype."""
    return types.astype(self, dtype)


def _copy(self: Any, order: str | None = None) -> Any:
    """Another array of the same values, which outlives the donation of this one."""
    return self.twin() if isinstance(self, Array) else self


def _to(self: Any, device: str | Device) -> Any:
    """The same values on a device ("cpu", "gpu:1" or a `Device`), committed there."""
    return DevicePut(find_device(device))(self)


def _to_device(self: Any, device: str | Device, /, *, stream: Any = None) -> Any:
    """The same values on a device, committed there, as the Array API standard names it.

    Raises:
        ArgumentError: a `stream`; computations here are ordered by the values that they need.
    """
    if stream is not None:
        raise ArgumentError(f"to_device(stream={stream!r}): there are no streams here; leave it out")
    return _to(self, device)


def _namespace(self: Any, /, *, api_version: str | None = None) -> Any:
    """The namespace of the Array API standard, `funcgrad.numpy`.

    Raises:
        ArgumentError: a version of the standard that is not known here.
    """
    if api_version not in (None, *_API_VERSIONS):
        raise ArgumentError(
            f"api_version={api_version!r}: the versions of the Array API standard that are followed here are "
            f"{', '.join(_API_VERSIONS)}; leave it out"
        )
    return sys.modules["funcgrad.numpy"]


_API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")


def _sort(
    self: Any, axis: int | None = -1, kind: str | None = None, *, stable: bool | None = None, descending: bool = False
) -> Any:
    """A sorted array; unlike NumPy's method it returns the result."""
    return sorting.sort(self, axis, kind, stable=stable, descending=descending)


def _view(self: Any, dtype: DTypeLike | None = None) -> Any:
    """The same bits read as another dtype; of a narrower or wider one the last axis has more or fewer elements.

    Raises:
        ShapeError: the last axis cannot be divided so, or there is none.
    """
    new = self.dtype if dtype is None else canonical(dtype)
    if new is self.dtype:
        return self
    if is_complex(self.dtype):
        parts = joining.stack([elementwise.real(self), elementwise.imag(self)], -1)
        return _view(reshape_op(parts, (*self.shape[:-1], 2 * self.shape[-1])) if self.shape else parts, new)
    if is_complex(new):
        parts = _view(self, real_dtype(new))
        if not parts.shape or parts.shape[-1] % 2:
            raise ShapeError(f"view: the last axis of shape {self.shape} has no whole number of {new.name}")
        return complex_(parts[..., ::2], parts[..., 1::2])
    old_size, new_size = self.dtype.itemsize, new.itemsize
    if old_size == new_size:
        return bitcast_convert_type(self, new)
    if not self.shape or self.shape[-1] * old_size % new_size:
        raise ShapeError(
            f"view: an array of shape {self.shape} and dtype {self.dtype.name} cannot be read as {new.name}: the last "
            f"axis must have a multiple of {new_size} bytes"
        )
    *outer, last = self.shape
    split = (*outer, last * old_size // new_size, new_size // old_size) if new_size > old_size else self.shape
    bits = bitcast_convert_type(reshape_op(self, split), new)
    return reshape_op(bits, (*outer, last * old_size // new_size))


def _to_bytes(self: Any, order: str = "C") -> bytes:
    """The bytes of all elements, in C order or Fortran order ("F")."""
    return known(self, "x.tobytes()").tobytes(order)  # type: ignore[arg-type]


def _partition(self: Any, kth: Any, axis: int | None = -1) -> Any:
    """A partitioned array; unlike NumPy's method it returns the result."""
    return sorting.partition(self, kth, axis)


def _in_place(name: str, instead: str) -> Callable[..., Any]:
    """The refusal that stands for one of NumPy's methods that write into their array."""

    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise ImmutableError(f"x.{name}(…): arrays are immutable. Write instead\n    x = {instead}")

    refuse.__doc__ = f"Not supported: arrays are immutable. Write `x = {instead}`."
    return refuse


_METHODS: dict[str, Callable[..., Any]] = {
    "all": reductions.all,
    "any": reductions.any,
    "argmax": reductions.argmax,
    "argmin": reductions.argmin,
    "argpartition": sorting.argpartition,
    "argsort": sorting.argsort,
    "astype": _astype,
    "choose": places.choose,
    "clip": elementwise.clip,
    "compress": lambda self, condition, axis=None: places.compress(condition, self, axis),
    "conj": elementwise.conjugate,
    "conjugate": elementwise.conjugate,
    "copy": _copy,
    "cumprod": reductions.cumprod,
    "cumsum": reductions.cumsum,
    "diagonal": contraction.diagonal,
    "dot": contraction.dot,
    "fill": _in_place("fill", "fnp.full_like(x, value)"),
    "flatten": _flatten,
    "item": _item,
    "max": reductions.max,
    "mean": reductions.mean,
    "min": reductions.min,
    "nonzero": nonzero,
    "partition": _partition,
    "prod": reductions.prod,
    "ptp": reductions.ptp,
    "put": _in_place("put", "fnp.put(x, indices, values, inplace=False)"),
    "ravel": shape.ravel,
    "repeat": repeat,
    "reshape": _reshape,
    "resize": _in_place("resize", "fnp.resize(x, shape)"),
    "round": elementwise.round,
    "searchsorted": sorting.searchsorted,
    "sort": _sort,
    "squeeze": shape.squeeze,
    "std": reductions.std,
    "sum": reductions.sum,
    "swapaxes": shape.swapaxes,
    "take": take,
    "to": _to,
    "to_device": _to_device,
    "tobytes": _to_bytes,
    "tolist": _tolist,
    "trace": contraction.trace,
    "transpose": _transpose,
    "var": reductions.var,
    "view": _view,
}

_PROPERTIES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "T": (shape.transpose, "The array with its axes reversed."),
    "flat": (shape.ravel, "All elements in one axis, to read by flat index or to iterate over."),
    "mT": (shape.matrix_transpose, "The array with its last two axes exchanged."),
    "real": (elementwise.real, "The real part."),
    "imag": (elementwise.imag, "The imaginary part."),
    "at": (At, "Changed copies: `x.at[i].set(v)`, `.add`, `.multiply`, `.min`, `.max`, `.get`."),
}

_TRACER_PROPERTIES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "device": (
        lambda x: None,
        "None: where the value will be computed is not known yet; as `device=` it asks nothing.",
    ),
    "size": (lambda x: x.type.size, "The number of elements."),
    "itemsize": (lambda x: x.type.dtype.itemsize, "The bytes of one element."),
    "nbytes": (lambda x: x.type.size * x.type.dtype.itemsize, "The bytes of all elements."),
}


def install(cls: type) -> None:
    """Give a class of arrays its operators, methods and properties."""
    for name, function in _BINARY.items():
        setattr(cls, f"__{name}__", _operator(function))
        setattr(cls, f"__r{name}__", _reflected(function))
    for name, function in _COMPARISONS.items():
        setattr(cls, f"__{name}__", _operator(function))
    for name, function in _UNARY.items():
        setattr(cls, f"__{name}__", function)
    special: dict[str, Any] = {
        "pow": _power, "round": _round, "bool": _truth, "int": _int, "float": _float, "complex": _complex,
        "index": _index, "len": _length, "iter": _iterate, "contains": _contains, "getitem": getitem,
        "setitem": _set_item, "delitem": _set_item, "array_ufunc": _array_ufunc, "array_namespace": _namespace,
    }  # fmt: skip
    for name, function in special.items():
        setattr(cls, f"__{name}__", function)
    cls.__array_priority__ = 1000  # type: ignore[attr-defined]
    for name, function in _METHODS.items():
        setattr(cls, name, function)
    for name, (function, doc) in _PROPERTIES.items():
        setattr(cls, name, property(function, doc=doc))


def _install_tracer() -> None:
    install(Tracer)
    for name, op in _TRACED.items():
        setattr(Tracer, f"__{name}__", _traced_operator(_BINARY[name], op))
    for name, (function, doc) in _TRACER_PROPERTIES.items():
        setattr(Tracer, name, property(function, doc=doc))
    Tracer.__array__ = _tracer_array  # type: ignore[attr-defined]
    Tracer.__repr__ = _tracer_repr  # type: ignore[method-assign]
    Tracer.__format__ = _tracer_format  # type: ignore[method-assign]


install(Array)
_install_tracer()
