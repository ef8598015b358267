"""Python's `if` on traced values: the paths of a function, each traced by itself, joined into one program.

A staging trace answers the first time that Python asks for the truth of a traced value with True. The function is
pure, so it can be run again with other answers, once for each path. Here the runs become a tree of decisions, and the
tree one list of equations, from the leaves up: what two sides do equally at their end is written once, what they do
differently goes into a `cond` (or a `select`, if they only choose between values), and a side that ends in an explicit
`raise` or `assert` becomes a check.
"""

from __future__ import annotations

import copy
import dis
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..compiler.simplify import simplify
from ..config import config
from ..core.dtypes import BOOL, INT32
from ..core.primitive import Primitive, infer
from ..core.program import Atom, Equation, Literal, Path, Program, Question, StageTrace, Var, install_branching
from ..core.trace import Tracer
from ..core.types import ArrayType
from ..errors import BranchError, ControlFlowError
from ..ops.bits import not_, or_
from ..ops.checks import AnyCheck, lower_failure
from ..ops.elementwise import select
from ..ops.reduction import reduce_and
from ..ops.structure import Convert
from ..source import Source
from .cond import Cond
from .traced import adapts

__all__: list[str] = []


class Piece:
    """What follows a decision, as straight equations: what they compute, or the exception in which they end."""

    __slots__ = ("equations", "error", "outputs")

    def __init__(self, equations: list[Equation], outputs: Sequence[Atom], error: Exception | None = None) -> None:
        self.equations = equations
        self.outputs = list(outputs)
        self.error = error

    @property
    def effects(self) -> frozenset[str]:
        return frozenset().union(*(eqn.op.effects for eqn in self.equations))


class Run:
    """One path in the variables of the first: equations that it shares with an earlier one are the same objects."""

    __slots__ = ("equations", "error", "outputs", "path", "questions")

    def __init__(self, path: Path, equations: list[Equation], questions: list[Question], outputs: list[Atom]) -> None:
        self.path = path
        self.equations = equations
        self.questions = questions
        self.outputs = outputs
        self.error = path.error


class Paths:
    """Explores the paths of one function and joins them."""

    def __init__(self, first: Path, again: Callable[[Sequence[bool]], Path]) -> None:
        self.first = first
        self.again = again
        self.latest = first
        self.count = 1
        self.asked: list[Source | None] = [q.source for q in first.trace.questions]
        self.constants: list[tuple[Var, Any]] = []

    def program(self) -> Program:
        trace = self.first.trace
        self.constants = list(zip(trace.constants.values(), trace.constant_values, strict=True))
        outputs = [trace.atom(value) for value in self.first.outputs]
        self.constants = list(zip(trace.constants.values(), trace.constant_values, strict=True))
        run = Run(self.first, trace.equations, trace.questions, outputs)
        whole = self.after(run, 0, 0)
        if whole.error is not None:
            raise whole.error
        return Program(trace.inputs, self.constants, whole.equations, whole.outputs, self.first.name)

    def after(self, run: Run, number: int, start: int) -> Piece:
        """What follows equation `start` of a run, its decisions from `number` on joined with those not taken."""
        if number == len(run.questions):
            if run.error is not None and not _raised_on_purpose(run.error):
                _annotate(run.error, run.questions)
                raise run.error
            return Piece(run.equations[start:], run.outputs, run.error)
        question = run.questions[number]
        yes = self.after(run, number + 1, question.position)
        no = self.after(self.turned(run, number), number + 1, question.position)
        joined = join(question, yes, no)
        return Piece([*run.equations[start : question.position], *joined.equations], joined.outputs, joined.error)

    def turned(self, run: Run, number: int) -> Run:
        """The run that decides as `run` does before decision `number`, and the other way there."""
        self.count += 1
        if self.count > config.current.max_paths:
            raise self.too_many()
        planned = [*(q.answer for q in run.questions[:number]), not run.questions[number].answer]
        self.latest.journal.take_back()
        path = self.latest = self.again(planned)
        self.asked.extend(q.source for q in path.trace.questions[number + 1 :])
        return self.translated(path, run, number)

    def translated(self, path: Path, model: Run, number: int) -> Run:
        """A new path in the variables of the first; what it shares with `model` is checked to be equal."""
        trace = path.trace
        own = dict(zip(trace.inputs, self.first.trace.inputs, strict=True))
        outputs = [trace.atom(value) for value in path.outputs]
        for var, value in zip(trace.constants.values(), trace.constant_values, strict=True):
            own[var] = self.constant(value)
        shared = model.questions[number].position

        def translate(atom: Atom) -> Atom:
            return own.get(atom, atom) if type(atom) is Var else atom

        equations = []
        for position, eqn in enumerate(trace.equations):
            inputs = [translate(a) for a in eqn.inputs]
            if position >= shared:
                equations.append(Equation(eqn.op, inputs, eqn.outputs, eqn.source))
                continue
            earlier = model.equations[position]
            if not self.same(inputs, earlier.inputs) or not _does_the_same(eqn, earlier):
                raise self.impure(eqn, earlier)
            own.update(zip(eqn.outputs, earlier.outputs, strict=True))
            equations.append(earlier)
        questions = [Question(q.position, translate(q.var), q.source, q.answer) for q in trace.questions]  # type: ignore[arg-type]
        for mine, theirs in zip(questions[: number + 1], model.questions, strict=False):
            if mine.position != theirs.position or mine.var is not theirs.var:
                raise self.impure(mine, theirs)
        if len(questions) <= number:
            raise self.impure(None, model.questions[number])
        return Run(path, equations, questions, [translate(a) for a in outputs])

    def constant(self, value: Any) -> Var:
        """The variable of a value that the function closes over; arrays made anew on each path are equal by value."""
        for var, known in self.constants:
            if known is value:
                return var
        if not isinstance(value, Tracer):
            for var, known in self.constants:
                if not isinstance(known, Tracer) and known.type is value.type and _equal_bits(known, value):
                    return var
        var = Var(value.type)
        self.constants.append((var, value))
        return var

    def same(self, inputs: Sequence[Atom], others: Sequence[Atom]) -> bool:
        """Whether two runs gave an operation the same operands; of constants only the values count."""
        return len(inputs) == len(others) and all(
            a is b or a == b or self.equal_constants(a, b) for a, b in zip(inputs, others, strict=True)
        )

    def equal_constants(self, a: Atom, b: Atom) -> bool:
        values = [value for var, value in self.constants if var is a or var is b]
        if len(values) != 2 or any(isinstance(value, Tracer) for value in values):
            return False
        return values[0].type is values[1].type and _equal_bits(*values)

    def too_many(self) -> BranchError:
        described = self.first.trace.described()
        return BranchError(
            f"the Python decisions in {described} lead to more than {config.current.max_paths} paths, each of which "
            f"has to be traced:\n{_counted(self.asked)}\n"
            f"k decisions in a row make 2**k paths. Choose by value with fnp.where, or let fg.lax.cond and "
            f"fg.lax.switch decide where the sides meet again; fg.config(max_paths=…) raises the limit."
        )

    def impure(self, found: Any, before: Any) -> BranchError:
        def where(thing: Any) -> str:
            if thing is None:
                return "the function had ended"
            what = "a decision"
            if isinstance(thing, Equation):
                numbers = [str(a.value.item()) for a in thing.inputs if isinstance(a, Literal)]
                what = f"operation {thing.op.name}{' of ' * bool(numbers)}{', '.join(numbers)}"
            return f"{what}{'' if thing.source is None else f' at {thing.source}'}"

        return BranchError(
            f"{self.first.trace.described()} is not pure: run again with the same decisions (Python decides on traced "
            f"values there, so each path is traced by itself), it does something else.\n"
            f"The first time: {where(before)}\nThis time: {where(found)}\n"
            f"A traced function must not depend on what it changes outside itself: pass such values as arguments."
        )


def _does_the_same(found: Equation, earlier: Equation) -> bool:
    """Whether two runs applied one operation. A Python function that each run made anew is told by its place."""
    if found.op == earlier.op:
        return True
    if type(found.op) is not type(earlier.op) or str(found.source) != str(earlier.source):
        return False
    types = [[var.type for var in eqn.outputs] for eqn in (found, earlier)]
    return types[0] == types[1] and _holds_functions(found.op) and _holds_functions(earlier.op)


def _holds_functions(value: Any) -> bool:
    """Whether an operation, or one in a program inside, is made of functions of the user's."""
    if isinstance(value, Program):
        return any(_holds_functions(eqn.op) for eqn in value.equations)
    if isinstance(value, tuple):
        return any(map(_holds_functions, value))
    if not isinstance(value, Primitive):
        return False
    if not getattr(value, "remembered", True) or hasattr(value, "callee"):
        return True
    return any(_holds_functions(getattr(value, field)) for field in type(value)._fields)


def _equal_bits(a: Any, b: Any) -> bool:
    return a.host().tobytes() == b.host().tobytes()


# -- joining two sides -----------------------------------------------------------------------------------------------


def join(question: Question, yes: Piece, no: Piece) -> Piece:
    """Both sides of a decision as one piece."""
    if yes.error is not None or no.error is not None:
        return _join_raising(question, yes, no)
    _agree(question, yes, no)
    length = _common_end(yes, no)
    ends = _positions(yes, length), _positions(no, length)
    chosen: dict[tuple[Atom, Atom], Var] = {}

    def merged(a: Atom, b: Atom) -> Atom:
        place = ends[0].get(a)  # type: ignore[arg-type]
        if a is b or a == b or (place is not None and place == ends[1].get(b)):  # type: ignore[arg-type]
            return a
        return chosen.setdefault((a, b), Var(a.type.strong()))

    end = []
    strong: dict[Atom, Atom] = {}  # what a `cond` gives is not weak, and so is not what is computed from it
    for mine, theirs in zip(_tail(yes, length), _tail(no, length), strict=True):
        inputs = [strong.get(x, x) for x in map(merged, mine.inputs, theirs.inputs)]
        outs = [Var(t) for t in infer(mine.op, *[x.type for x in inputs])]
        strong.update(zip(mine.outputs, outs, strict=True))
        end.append(Equation(mine.op, inputs, outs, mine.source))
    outputs = [strong.get(x, x) for x in map(merged, yes.outputs, no.outputs)]
    results = [list(column) for column in zip(*chosen, strict=True)] or [[], []]
    heads = [
        Piece(piece.equations[: len(piece.equations) - length], atoms)
        for piece, atoms in zip((yes, no), results, strict=True)
    ]
    return Piece([*_choose(question, heads[0], heads[1], list(chosen.values())), *end], outputs)


def _tail(piece: Piece, length: int) -> list[Equation]:
    return piece.equations[len(piece.equations) - length :]


def _positions(piece: Piece, length: int) -> dict[Var, tuple[int, int]]:
    """Where the last `length` equations assign what: distance from the end, and which result."""
    found = {}
    for distance, eqn in enumerate(reversed(piece.equations), 1):
        if distance > length:
            break
        for place, out in enumerate(eqn.outputs):
            found[out] = (distance, place)
    return found


def _common_end(yes: Piece, no: Piece) -> int:
    """How many equations at the end of both sides are the same, but for values computed before."""
    length = 0
    for a, b in zip(reversed(yes.equations), reversed(no.equations), strict=False):
        if not _alike(a, b):
            break
        length += 1
    ends = _positions(yes, length), _positions(no, length)

    def allowed(a: Atom, b: Atom, length: int) -> int:
        places = [end[x] for end, x in zip(ends, (a, b), strict=True) if type(x) is Var and x in end]
        if not places or (len(places) == 2 and places[0] == places[1]):
            return length
        return min(length, min(distance for distance, _ in places) - 1)

    for a, b in zip(yes.outputs, no.outputs, strict=True):
        length = allowed(a, b, length)
    distance = 0
    while distance < length:
        mine, theirs = yes.equations[-1 - distance], no.equations[-1 - distance]
        for a, b in zip(mine.inputs, theirs.inputs, strict=True):
            length = allowed(a, b, length)
        distance += 1
    return length


def _alike(a: Equation, b: Equation) -> bool:
    """Whether two equations apply one operation to operands of equal types."""
    if a.op != b.op or len(a.inputs) != len(b.inputs):
        return False
    return all(x.type is y.type for x, y in zip(a.inputs, b.inputs, strict=True)) and all(
        x.type is y.type for x, y in zip(a.outputs, b.outputs, strict=True)
    )


def _choose(question: Question, yes: Piece, no: Piece, results: Sequence[Var]) -> list[Equation]:
    """The equations that assign the outputs of one side to `results`: selects if nothing is computed, else a `cond`."""
    var, source = question.var, question.source
    if not yes.equations and not no.equations:
        triples = zip(yes.outputs, no.outputs, results, strict=True)
        return [Equation(select, (var, b, a), (out,), source) for a, b, out in triples]
    captured: dict[Var, None] = {}
    for side in (yes, no):
        captured.update(dict.fromkeys(_free_variables(side)))
    branches = [simplify(Program([*captured], (), side.equations, side.outputs, "branch")) for side in (no, yes)]
    index = Var(ArrayType((), INT32))
    return [
        Equation(Convert(INT32), (var,), (index,), source),
        Equation(Cond(tuple(branches)), (index, *captured), tuple(results), source),
    ]


def _free_variables(piece: Piece) -> list[Var]:
    assigned = {out for eqn in piece.equations for out in eqn.outputs}
    atoms = [*(a for eqn in piece.equations for a in eqn.inputs), *piece.outputs]
    return [a for a in atoms if type(a) is Var and a not in assigned]


def _agree(question: Question, yes: Piece, no: Piece) -> None:
    """Give the results of both sides equal types: Python numbers adapt to arrays."""
    rows = []
    for place, (a, b) in enumerate(zip(yes.outputs, no.outputs, strict=True)):
        if a.type.strong() is not b.type.strong():
            if adapts(a.type, b.type):
                yes.outputs[place] = _converted(yes, a, b.type)
            elif adapts(b.type, a.type):
                no.outputs[place] = _converted(no, b, a.type)
            else:
                rows.append(f"  result {place}: {a.type} where it is true, {b.type} where it is false")
    if rows:
        table = "\n".join(rows)
        raise ControlFlowError(
            f"the two ways from this decision return different types:\n{table}\n"
            f"Return the same shapes and dtypes on every path; x.astype(…) and fnp.broadcast_to help.",
            question.source,
        )


def _converted(piece: Piece, atom: Atom, type: ArrayType) -> Atom:
    target = type.strong()
    if isinstance(atom, Literal):
        return Literal(np.asarray(atom.value, target.dtype), target)
    out = Var(target)
    piece.equations.append(Equation(Convert(target.dtype), (atom,), (out,), None))
    return out


# -- sides that raise ------------------------------------------------------------------------------------------------


class Raised:
    """An exception as a field of an operation: equal if class and arguments are."""

    __slots__ = ("error", "key")

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.key = (type(error), repr(error.args))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Raised) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return repr(self.error)


class Raise(AnyCheck):
    """Operand (ok): raises the user's own exception unless `ok`, a bool[], is true."""

    raised: Raised

    def failing(self, ok: np.ndarray) -> tuple[Any, ...] | None:
        return None if ok else ()

    def error(self, found: tuple[Any, ...]) -> Exception:  # type: ignore[override]
        error = self.raised.error
        try:
            again = copy.copy(error)
        except Exception:  # a class whose instances cannot be copied
            return error
        return again.with_traceback(error.__traceback__)

    def lower(self, build: Any, ok: Any) -> tuple[Any, ...]:
        return lower_failure(build, self, build.op("not", (ok,), _FALSE.type), (), 0)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return self(reduce_and(operands[0], (0,))), ()

    def masked(self, mask: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        return self(or_(operands[0], not_(mask)))


def _join_raising(question: Question, yes: Piece, no: Piece) -> Piece:
    """A decision of which at least one side ends in `raise`: the raise becomes a check."""
    if yes.error is not None and no.error is not None:
        return Piece([*_fail(question, no, False), *yes.equations], yes.outputs, yes.error)
    raising, going = (yes, no) if yes.error is not None else (no, yes)
    if going.effects - {"check"}:  # what goes on may act or never end, so it must not run where the other side raises
        return _exclusive(question, raising, going, raising is yes)
    return Piece([*_fail(question, raising, raising is yes), *going.equations], going.outputs)


def _fail(question: Question, raising: Piece, when: bool) -> list[Equation]:
    """Equations that report the error of `raising` where the decision is `when`."""
    if raising.effects:  # what it did before the error must still happen
        failing, nothing = Piece([*raising.equations, _failure(raising, _FALSE, question)], ()), Piece([], ())
        return _choose(question, failing if when else nothing, nothing if when else failing, ())
    if not when:
        return [_failure(raising, question.var, question)]
    fine = Var(_FALSE.type)
    return [Equation(not_, (question.var,), (fine,), question.source), _failure(raising, fine, question)]


_FALSE = Literal(np.zeros((), BOOL), ArrayType((), BOOL))


def _failure(raising: Piece, fine: Atom, question: Question) -> Equation:
    error = raising.error
    assert error is not None
    return Equation(Raise(Raised(error)), (fine,), (), question.source)


def _exclusive(question: Question, raising: Piece, going: Piece, when: bool) -> Piece:
    """A `cond` of which one side fails, with results that nobody will see."""
    types = [a.type.strong() for a in going.outputs]
    nothing = [Literal(np.zeros((), t.dtype), t) for t in types]
    failing = Piece([*raising.equations, _failure(raising, _FALSE, question)], nothing)
    results = [Var(t) for t in types]
    return Piece(_choose(question, *((failing, going) if when else (going, failing)), results), results)


def _raised_on_purpose(error: BaseException) -> bool:
    """Whether an exception comes from a `raise` or `assert` of the user's own code."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    name = trace.tb_frame.f_globals.get("__name__", "")
    code = trace.tb_frame.f_code.co_code
    return not name.startswith("funcgrad.") and dis.opname[code[trace.tb_lasti]] == "RAISE_VARARGS"


def _annotate(error: BaseException, questions: Sequence[Question]) -> None:
    if questions:
        lines = "".join(f"\n  {q.answer} at {q.source}" for q in questions if q.source is not None)
        error.add_note(f"This happened on the path on which Python's decisions on traced values were:{lines}")


def _counted(sources: Iterable[Source | None]) -> str:
    """Where decisions were asked for, the most frequent first."""
    lines = [str(source) for source in sources if source is not None]
    return "\n".join(f"  {count} × {line}" for line, count in Counter(lines).most_common(5))


def endless(trace: StageTrace) -> BranchError:
    """The error for a path that keeps asking, as `while x > 0` does."""
    return BranchError(
        f"one path through {trace.described()} asked for the truth of traced values more than "
        f"{config.current.max_paths} times:\n{_counted(q.source for q in trace.questions)}\n"
        f"A Python loop whose condition is traced never ends while it is traced. Write "
        f"fg.lax.while_loop(cond_fun, body_fun, init), or fg.lax.fori_loop for a count; "
        f"for a long loop of fixed length with a break, fg.config(max_paths=…) raises the limit."
    )


def join_paths(first: Path, again: Callable[[Sequence[bool]], Path]) -> Program:
    """The program of a function whose first path asked for decisions; `again` runs it with other answers."""
    return Paths(first, again).program()


install_branching(join_paths, endless)
