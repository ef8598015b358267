"""Programs: typed, immutable, structurally comparable; staging a function into one; running one.

    Program(inputs, constants, equations, outputs)

A staged function's equations mention variables and literals. An array that the function closes over becomes a
*constant*: a variable with a value beside it, later a hidden input of the compiled program. Scalars and splats
(one value everywhere) become literals instead.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..config import config
from ..errors import ConcretizationError
from ..source import Source, user_source
from .pretty import format_program
from .primitive import Primitive, infer
from .trace import Journal, Purpose, Trace, Tracer, bottom, leaked, run_under, state
from .types import ArrayType

__all__ = ["Equation", "Literal", "Program", "StageTrace", "StagedTracer", "Var", "run_program", "stage"]


class Var:
    """A typed variable of a Program, identified by being itself."""

    __slots__ = ("type",)

    def __init__(self, type: ArrayType) -> None:
        self.type = type


class Literal:
    """A constant written into the program: one scalar `value`, spread over `type.shape`."""

    __slots__ = ("key", "type", "value")

    def __init__(self, value: np.ndarray, type: ArrayType) -> None:
        self.value = value
        self.type = type
        self.key = (value.tobytes(), type)  # bits, since -0.0 == 0.0 and NaN != NaN

    def __eq__(self, other: object) -> bool:
        return type(other) is Literal and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


Atom = Var | Literal


class Equation:
    """`outputs = op(inputs)`, and the user's line it came from."""

    __slots__ = ("inputs", "op", "outputs", "source")

    def __init__(self, op: Primitive, inputs: Sequence[Atom], outputs: Sequence[Var], source: Source | None) -> None:
        self.op = op
        self.inputs = inputs
        self.outputs = outputs
        self.source = source


class Program:
    """A typed straight-line program.

    Attributes:
        inputs: its parameters.
        constants: pairs (variable, value) for arrays and outer tracers that it closes over.
        equations: in execution order; every variable is assigned once, before its uses.
        outputs: variables or literals.
        name: for printing, profiles and errors; not part of equality.
    """

    __slots__ = ("__weakref__", "_effects", "_hash", "_key", "constants", "equations", "inputs", "name", "outputs")

    def __init__(
        self,
        inputs: Sequence[Var],
        constants: Sequence[tuple[Var, Any]],
        equations: Sequence[Equation],
        outputs: Sequence[Atom],
        name: str = "program",
    ) -> None:
        self.inputs = tuple(inputs)
        self.constants = tuple(constants)
        self.equations = tuple(equations)
        self.outputs = tuple(outputs)
        self.name = name
        self._key: tuple[Any, ...] | None = None
        self._hash: int | None = None
        self._effects: frozenset[str] | None = None

    @property
    def in_types(self) -> tuple[ArrayType, ...]:
        return tuple(v.type for v in self.inputs)

    @property
    def out_types(self) -> tuple[ArrayType, ...]:
        return tuple(a.type for a in self.outputs)

    @property
    def axis_names(self) -> frozenset[str]:
        """Named axes that some equation communicates over."""
        return frozenset().union(*(eqn.op.axis_names for eqn in self.equations))

    @property
    def effects(self) -> frozenset[str]:
        """What its equations do besides computing; see `Primitive.effects`."""
        if self._effects is None:
            self._effects = frozenset().union(*{eqn.op.effects for eqn in self.equations})
        return self._effects

    @property
    def payload(self) -> int:
        """How many 32-bit words the errors that it reports carry."""
        return max((eqn.op.payload for eqn in self.equations), default=0) if "check" in self.effects else 0

    def closed(self) -> tuple[Program, list[Any]]:
        """This program with its constants turned into leading inputs, and their values."""
        if not self.constants:
            return self, []
        variables = [v for v, _ in self.constants]
        values = [value for _, value in self.constants]
        return Program([*variables, *self.inputs], (), self.equations, self.outputs, self.name), values

    def structure(self) -> tuple[Any, ...]:
        """A hashable value, equal for programs that compute the same thing the same way."""
        if self._key is None:
            with collection_paused():
                self._key = self._structure()
        return self._key

    def _structure(self) -> tuple[Any, ...]:
        number: dict[Var, int] = {}
        for v in self.inputs:
            number[v] = len(number)
        for v, _ in self.constants:
            number[v] = len(number)

        def reference(atom: Atom) -> Any:
            return number[atom] if type(atom) is Var else atom.key  # type: ignore[union-attr]

        lines = []
        for eqn in self.equations:
            inputs = tuple(map(reference, eqn.inputs))
            for v in eqn.outputs:
                number[v] = len(number)
            lines.append((eqn.op, inputs, tuple(v.type for v in eqn.outputs)))
        constants = tuple((v.type, id(value)) for v, value in self.constants)
        return (self.in_types, constants, tuple(lines), tuple(map(reference, self.outputs)))

    def __str__(self) -> str:
        return format_program(self)

    def __repr__(self) -> str:
        return f"<Program {self.name}: {len(self.equations)} equations>"

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.structure())
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Program):
            return NotImplemented
        return hash(self) == hash(other) and self.structure() == other.structure()


class StagedTracer(Tracer):
    """A value of a function being staged: a variable of the program under construction."""

    __slots__ = ("type", "variable")

    def __init__(self, trace: Trace, var: Var) -> None:
        self.made_by = trace
        self.variable = var
        self.type = var.type

    def concrete(self) -> Any | None:
        return self.made_by.known_value(self.variable)  # type: ignore[attr-defined]

    def decide(self) -> bool:
        return self.made_by.decide(self.variable)  # type: ignore[attr-defined]

    def unknown_reason(self) -> str:
        return self.made_by.dependence(self.variable)  # type: ignore[attr-defined]

    def made_at(self) -> str:
        eqn = self.made_by.producer(self.variable)  # type: ignore[attr-defined]
        if eqn is None or eqn.source is None:
            return super().made_at()
        return f"at {eqn.source}\n  inside {self.made_by.described()}"


class Question(NamedTuple):
    """Python asked for the truth of `var` before equation number `position`, at `source`, and was told `answer`."""

    position: int
    var: Var
    source: Source | None
    answer: bool


class StageTrace(Trace):
    """Records every operation as an equation.

    Attributes:
        questions: what Python decisions (`if`) depended on traced values.
        planned: the answers to the first of them; later ones are answered with True.
    """

    stages: ClassVar[bool] = True

    __slots__ = (
        "_answers",
        "_produced",
        "_producers",
        "constant_values",
        "constants",
        "equations",
        "input_names",
        "inputs",
        "planned",
        "questions",
    )

    def __init__(self, parent: Trace | None, purpose: Purpose, planned: Sequence[bool] = ()) -> None:
        super().__init__(parent, purpose)
        self.planned = planned
        self.questions: list[Question] = []
        self._answers: dict[Var, bool] = {}
        self.inputs: list[Var] = []
        self.input_names: list[str] = []
        self.constants: dict[int, Var] = {}
        self.constant_values: list[Any] = []
        self.equations: list[Equation] = []
        self._producers: dict[Var, Equation] = {}
        self._produced = 0

    def new_input(self, type: ArrayType, name: str = "") -> StagedTracer:
        var = Var(type)
        self.inputs.append(var)
        self.input_names.append(name)
        return StagedTracer(self, var)

    def process(self, op: Primitive, args: tuple[Any, ...]) -> tuple[Any, ...]:
        # Hot: everything under `jit` passes here; plain on purpose (benchmark: tracing). This method and its caller are
        # the library's, so the search for the user's line starts above them.
        inputs = []
        types = []
        for arg in args:
            if type(arg) is StagedTracer and arg.made_by is self:
                inputs.append(arg.variable)
                types.append(arg.type)
            else:
                atom = self.atom(arg)
                inputs.append(atom)
                types.append(atom.type)
        out_types = infer(op, *types)
        source = state.source or user_source(3)
        if len(out_types) == 1:
            out = Var(out_types[0])
            self.equations.append(Equation(op, inputs, (out,), source))
            return (StagedTracer(self, out),)
        outputs = [Var(t) for t in out_types]
        self.equations.append(Equation(op, inputs, outputs, source))
        return tuple([StagedTracer(self, v) for v in outputs])

    def atom(self, value: Any) -> Atom:
        """The variable or literal that stands for a value in this program."""
        if type(value) is StagedTracer and value.made_by is self:
            return value.variable
        if isinstance(value, Tracer):
            if value.made_by.ended:
                raise leaked(value)
        else:
            splat = value.splat()
            if splat is not None:
                return Literal(splat, value.type)
        var = self.constants.get(id(value))
        if var is None:
            var = self.constants[id(value)] = Var(value.type)
            self.constant_values.append(value)
        return var

    def finish(self, outputs: Iterable[Any], name: str) -> Program:
        """The program whose results are `outputs`."""
        atoms = [self.atom(value) for value in outputs]
        constants = list(zip(self.constants.values(), self.constant_values, strict=True))
        return Program(self.inputs, constants, self.equations, atoms, name)

    def decide(self, var: Var) -> bool:
        """Which way a Python decision on `var` goes on this path. The other way is another path, traced later."""
        found = self._answers.get(var)
        if found is None:
            number = len(self.questions)
            if number >= config.current.max_paths:
                raise endless_questions(self)
            found = self._answers[var] = self.planned[number] if number < len(self.planned) else True
            self.questions.append(Question(len(self.equations), var, user_source(2), found))
        return found

    # -- values known while staging ----------------------------------------------------------------------------

    def producer(self, var: Var) -> Equation | None:
        """The equation that assigns `var`; None for inputs and constants."""
        for eqn in self.equations[self._produced :]:
            for out in eqn.outputs:
                self._producers[out] = eqn
        self._produced = len(self.equations)
        return self._producers.get(var)

    def ancestors(self, var: Var) -> tuple[list[Equation], list[Var]]:
        """The equations `var` depends on, in execution order, and the leaves (inputs, constants) they start from."""
        needed: set[Var] = set()
        leaves: list[Var] = []
        stack = [var]
        while stack:
            v = stack.pop()
            if v in needed:
                continue
            needed.add(v)
            eqn = self.producer(v)
            if eqn is None:
                leaves.append(v)
            else:
                stack.extend(a for a in eqn.inputs if type(a) is Var)
        return [eqn for eqn in self.equations if not needed.isdisjoint(eqn.outputs)], leaves

    def known_value(self, var: Var) -> Any | None:
        """The value of a variable that depends on no input and no outer tracer, computed now; else None."""
        equations, leaves = self.ancestors(var)
        values = dict(zip(self.constants.values(), self.constant_values, strict=True))
        environment: dict[Var, Any] = {}
        for leaf in leaves:
            value = values.get(leaf)
            if isinstance(value, Tracer):
                value = value.concrete()
            if value is None:
                return None
            environment[leaf] = value
        if any(eqn.op.effectful or eqn.op.axis_names for eqn in equations):
            return None
        run_under(bottom(), _run_equations, equations, environment)
        return environment[var]

    def dependence(self, var: Var) -> str:
        """Which inputs a variable depends on, in words."""
        leaves = set(self.ancestors(var)[1])
        names = zip(self.inputs, self.input_names, strict=True)
        found = [f"`{name}` of type {v.type}" for v, name in names if name and v in leaves]
        if found:
            return f"it depends on the traced input{'s' * (len(found) > 1)} {', '.join(found)} of {self.described()}"
        return f"it depends on a traced value inside {self.described()}"


def _run_equations(equations: Iterable[Equation], environment: dict[Var, Any]) -> None:
    outer = state.source
    try:
        for eqn in equations:
            state.source = eqn.source or outer
            args = tuple([environment[a] if isinstance(a, Var) else literal_value(a) for a in eqn.inputs])
            environment.update(zip(eqn.outputs, state.trace.process(eqn.op, args), strict=True))
    finally:
        state.source = outer


_literal_values: Callable[[Literal], Any]


def install_literals(function: Callable[[Literal], Any]) -> None:
    """Say how a literal becomes a concrete array (the backend's business)."""
    global _literal_values
    _literal_values = function


def literal_value(literal: Literal) -> Any:
    """The concrete array of a literal."""
    return _literal_values(literal)


def run_program(program: Program, args: Sequence[Any]) -> list[Any]:
    """Interpret a program under the current trace."""
    environment: dict[Var, Any] = dict(zip(program.inputs, args, strict=True))
    environment.update(program.constants)
    _run_equations(program.equations, environment)
    return [environment[a] if isinstance(a, Var) else literal_value(a) for a in program.outputs]


def stage(
    function: Callable[..., Sequence[Any]],
    types: Sequence[ArrayType],
    purpose: Purpose,
    input_names: Sequence[str] = (),
) -> Program:
    """Stage `function(*tracers) -> results`, both flat, into a Program.

    Where Python decides on traced values, the function is run once for each path, and the paths are joined.
    """
    path = trace_path(function, types, purpose, input_names)
    if path.trace.questions:
        return _join_paths(path, lambda planned: trace_path(function, types, purpose, input_names, planned))
    if path.error is not None:
        raise path.error
    return path.program()


class Path:
    """One run of a function under a staging trace: its outputs, or the exception that ended it."""

    __slots__ = ("error", "journal", "outputs", "trace")

    def __init__(self, trace: StageTrace) -> None:
        self.trace = trace
        self.journal = Journal()
        self.outputs: Sequence[Any] = ()
        self.error: Exception | None = None

    @property
    def name(self) -> str:
        purpose = self.trace.purpose
        return purpose if isinstance(purpose, str) else getattr(purpose[1], "__name__", purpose[0])

    def program(self) -> Program:
        return self.trace.finish(self.outputs, self.name)


def trace_path(
    function: Callable[..., Sequence[Any]],
    types: Sequence[ArrayType],
    purpose: Purpose,
    input_names: Sequence[str],
    planned: Sequence[bool] = (),
) -> Path:
    """Run a function once under a staging trace, with planned answers to the decisions it asks for."""
    trace = StageTrace(state.trace, purpose, planned)
    tracers = [trace.new_input(t, n) for t, n in zip(types, [*input_names, *[""] * len(types)], strict=False)]
    path = Path(trace)
    outer, state.source = state.source, None
    try:
        with path.journal:
            path.outputs = run_under(trace, function, *tracers)
    except Exception as error:
        if not trace.questions:
            raise
        path.error = error
    finally:
        trace.ended = True
        state.source = outer
    return path


_join_paths: Callable[[Path, Callable[[Sequence[bool]], Path]], Program]
endless_questions: Callable[[StageTrace], Exception]


def install_branching(
    join: Callable[[Path, Callable[[Sequence[bool]], Path]], Program], endless: Callable[[StageTrace], Exception]
) -> None:
    """Say how the paths of a function that decides on traced values become one program (higher_order's business)."""
    global _join_paths, endless_questions
    _join_paths = join
    endless_questions = endless


def questions_asked() -> int:
    """How many decisions the enclosing staging traces were asked for so far."""
    count = 0
    trace: Trace | None = state.trace
    while trace is not None:
        if isinstance(trace, StageTrace):
            count += len(trace.questions)
        trace = trace.parent
    return count


@contextlib.contextmanager
def collection_paused() -> Iterator[None]:
    """No search for cyclic garbage in this block: for building large programs, whose many new objects all stay."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class DeepStack:
    """Allows deeply nested functions to be traced: in this block Python's recursion limit is at least `LIMIT`.

    Each level of nesting takes some twenty Python frames, a few of which are also frames of C. A higher limit would let
    endless recursion overflow the stack of a small thread. The limit is the interpreter's, so threads in such blocks
    share one raise.
    """

    LIMIT = 4000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = 0

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._before = sys.getrecursionlimit()
                sys.setrecursionlimit(max(self._before, self.LIMIT))

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and sys.getrecursionlimit() == self.LIMIT:
                sys.setrecursionlimit(self._before)


deep_stack = DeepStack()


def concretization_error(tracer: Tracer, wanted: str) -> ConcretizationError:
    """The error for `float(x)`, `bool(x)`, `np.asarray(x)` of a value that is not known."""
    return ConcretizationError(
        f"{wanted} needs the value of a traced array of type {tracer.type}, but {tracer.unknown_reason()}.\n"
        f"While a function is traced only shapes and dtypes are known. Compute with array operations instead "
        f"(fnp.where selects by value), or pass that argument as a static one: fg.jit(f, static_argnums=…)."
    )
