"""The contract of an operation: one frozen class, six rules, always in this order.

infer (types → types), evaluate (NumPy → NumPy), lower (StableHLO → StableHLO), jvp, transpose, batch.

An operation object is callable: `sin = Sin(); sin(x)` asks the current interpreter to process it. Its fields are
its static parameters; equal operations are the same object (see `interned`), so an operation is hashable,
comparable and printable, and `(op, *types)` is every cache's key. Every rule returns a tuple of results.
A rule that an operation cannot have is *declared* (`transpose = not_linear`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import MissingRuleError
from .interned import Interned
from .trace import state
from .types import ArrayType, LinearInput, Zero

if TYPE_CHECKING:
    import numpy as np

    from .graph import Graph
    from .program import Atom, Program

__all__ = ["EFFECTS", "Linear", "Primitive", "infer", "not_batchable", "not_differentiable", "not_linear"]

EFFECTS = ("ordered", "callback", "check", "loop")
_LOOP_ONLY = frozenset({"loop"})


class Primitive(Interned):
    """An operation. Subclasses are final: fields, then the six rules.

    Class attributes:
        multiple: True if calling it returns a tuple of results rather than one.
        takes_zeros: True if `jvp` accepts symbolic `Zero` tangents; else they arrive written out
            (those of integer and boolean operands always stay `Zero`: such operands have no tangents).
        effects: what it does besides computing its results: "ordered" (a callback whose order counts), "callback" (one
            whose order does not), "check" (it may report an error), "loop" (it may never end). Operations with any of
            the first three are never dropped, repeated or reordered; operations with any of the four have `masked`.
        payload: how many 32-bit words the errors that it reports carry.
        direct: True if `push` and `pull` give the derivative of a real result at a point, so that reverse mode
            need not trace `jvp`.
        kernel: the NumPy function that is the whole of `evaluate`, if there is one: eager evaluation's shortcut.
        plain: True if evaluating it maps host values to host values of strong types and nothing else.
        runs_itself: True if it is evaluated by `run(arrays)` rather than `evaluate` (compiled programs, callbacks).
        cheap: True if computing it again costs less than keeping its result and reading it again.
        interprets: True if `evaluate` runs programs, so that their operations see to NumPy's warnings, not this one.
        commutative: True if the two operands may change places.
        exact: True if `evaluate` and the compiled operation give the same bits for real floats too (signs of NaN
            aside), so that results may be computed before they are compiled. For integers and booleans they always do.
    """

    multiple: ClassVar[bool] = False
    takes_zeros: ClassVar[bool] = False
    effects: ClassVar[frozenset[str]] = frozenset()
    payload: ClassVar[int] = 0
    direct: ClassVar[bool] = False
    kernel: ClassVar[Callable[..., Any] | None] = None
    plain: ClassVar[bool] = True
    runs_itself: ClassVar[bool] = False
    cheap: ClassVar[bool] = False
    interprets: ClassVar[bool] = False
    commutative: ClassVar[bool] = False
    exact: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "jvp" in vars(cls) and "push" not in vars(cls):
            cls.direct = False  # its own rule is not the family's

    def __call__(self, *args: Any) -> Any:
        results = state.trace.process(self, args)
        return results if self.multiple else results[0]

    @property
    def name(self) -> str:
        return _snake_case(type(self).__name__)

    @property
    def axis_names(self) -> frozenset[str]:
        """Named axes (of an enclosing `vmap`) that this operation communicates over."""
        return frozenset()

    @property
    def effectful(self) -> bool:
        """Whether it must be kept even if nobody uses its results."""
        effects = self.effects
        return bool(effects) and effects != _LOOP_ONLY

    @property
    def repetitions(self) -> int:
        """How often it runs the programs that it carries, if it carries any and that is known."""
        return 1

    def work(self, in_types: Sequence[ArrayType], out_types: Sequence[ArrayType]) -> float:
        """About how much it computes, in elements that take as long as those of an addition."""
        return float(max([t.size for t in (*in_types, *out_types)], default=0))

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        """The result types for operand types; raises the user-facing error if they do not fit."""
        raise MissingRuleError(f"operation {self.name} has no rule `infer`")

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        """The results on the host; never writes into an operand, may return views."""
        raise MissingRuleError(f"operation {self.name} has no rule `evaluate`")

    def run(self, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        """The results for concrete arrays, for operations that `runs_itself`."""
        raise MissingRuleError(f"operation {self.name} does not run itself")

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        """Emit StableHLO for this operation with the `Builder`; operands and results are StableHLO values."""
        raise MissingRuleError(f"operation {self.name} has no rule `lower`")

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Results and their tangents. A tangent result may be a `Zero`."""
        raise MissingRuleError(f"operation {self.name} has no rule `jvp`")

    def transpose(self, cts: tuple[Any, ...], *inputs: Any) -> tuple[Any | None, ...]:
        """Cotangents of the `LinearInput`s among `inputs`; None for the inputs that are known values."""
        raise MissingRuleError(f"operation {self.name} has no rule `transpose`")

    def batch(
        self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]
    ) -> tuple[tuple[Any, ...], tuple[int | None, ...]]:
        """Results for operands that carry an extra axis of length `size` at `axes` (None: no such axis)."""
        raise MissingRuleError(f"operation {self.name} has no rule `batch`")

    def batch_named(
        self, name: Any, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]
    ) -> tuple[tuple[Any, ...], tuple[int | None, ...]]:
        """As `batch`, for the mapped axis that this operation communicates over by name; every axis may be None."""
        raise MissingRuleError(f"operation {self.name} has no rule `batch_named`")

    def push(self, tangents: Sequence[Any | None], out: Any, primals: Sequence[Any]) -> Any:
        """The tangent of the one result, for operations that are `direct`; None where `jvp` is given a `Zero`."""
        raise MissingRuleError(f"operation {self.name} is not direct")

    def pull(self, ct: Any, out: Any, primals: Sequence[Any], moving: Sequence[Any | None]) -> Sequence[Any | None]:
        """The transpose of `push`: a cotangent for each operand that is not None in `moving`."""
        raise MissingRuleError(f"operation {self.name} is not direct")

    def partial_eval(self, trace: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Results when some operands are unknown; by default the whole operation is recorded for later."""
        return trace.record(self, args)

    def masked(self, mask: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        """The results, where effects happen and loops run only if `mask` (a traced bool[]) is true.

        Only operations with `effects` are asked. Results under a false mask may be anything of the right type.
        """
        raise MissingRuleError(f"operation {self.name} has no rule `masked`")

    def without(self, unused: tuple[bool, ...]) -> tuple[Primitive, tuple[int, ...], tuple[int, ...]] | None:
        """The operation without the work for results that nobody uses, if it can do less; else None.

        Only operations with several results are asked.

        Returns:
            The smaller operation, which of this one's operands it takes, and which of its results it gives.
        """
        return None

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        """Something simpler that has the same results, bit for bit (but for the payload of NaN); None if nothing is.

        Effects must stay. A rule may look at what made the inputs and write equations, but never more than it makes
        useless.

        Args:
            graph: where the inputs come from, and where to write.
            inputs: the operands, variables or literals.

        Returns:
            For each result a variable or literal of the same type.
        """
        return None

    def written_out(self, inputs: Sequence[Atom]) -> tuple[Program, Sequence[Atom]] | None:
        """A program that may stand in place of this operation on these operands, and what it is applied to.

        Its equations are written out where this one stands; the types of its inputs are those of what it is applied
        to, and the types of its outputs those of the results.
        """
        return None


class Linear(Primitive):
    """An operation that is linear in the operands `linear_in`: its jvp is itself. `transpose` is what to write."""

    direct = True
    linear_in: ClassVar[tuple[int, ...]] = (0,)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return (self(*primals),), (self.push(tangents, None, primals),)

    def push(self, tangents: Sequence[Any | None], out: Any, primals: Sequence[Any]) -> Any:
        linear = self.linear_in
        return self(*[tangents[i] if i in linear else x for i, x in enumerate(primals)])

    def pull(self, ct: Any, out: Any, primals: Sequence[Any], moving: Sequence[Any | None]) -> Sequence[Any | None]:
        pairs = zip(primals, moving, strict=True)
        return self.transpose((ct,), *[x if dx is None else LinearInput(x) for x, dx in pairs])


@lru_cache(maxsize=1 << 16)
def infer(op: Primitive, *types: ArrayType) -> tuple[ArrayType, ...]:
    """`op.infer(*types)`, remembered."""
    return op.infer(*types)


def not_linear(self: Primitive, cts: tuple[Any, ...], *inputs: Any) -> tuple[Any | None, ...]:
    """Declares that an operation has no transpose."""
    raise MissingRuleError(
        f"operation {self.name} is not linear, so it has no transpose. "
        f"linear_transpose needs a function that is linear in its inputs; for any other, use fg.vjp."
    )


def not_differentiable(
    self: Primitive, primals: tuple[Any, ...], tangents: tuple[Any, ...]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Declares that an operation is locally constant or integer-valued: its tangents are zero."""
    out = self(*primals)
    outs = out if self.multiple else (out,)
    return outs, tuple(Zero(o.type) for o in outs)


def not_batchable(
    self: Primitive, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]
) -> tuple[tuple[Any, ...], tuple[int | None, ...]]:
    """Declares that an operation has no operands, so nothing can be batched."""
    raise MissingRuleError(f"operation {self.name} has no operands, so it is never batched")


@lru_cache(maxsize=1024)
def _snake_case(name: str) -> str:
    return "".join(("_" if i and c.isupper() else "") + c.lower() for i, c in enumerate(name))
