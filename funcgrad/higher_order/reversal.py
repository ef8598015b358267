"""Steps of a loop in reverse order within a fixed amount of memory: binomial checkpointing.

To undo step k one needs the state before it, and a loop only runs forward. A few states are kept; the ones between are
computed again. With `c` free places for states and each step repeated at most `r` times, `C(c + 1 + r, r)` steps can be
reversed, and no schedule does better (A. Griewank and A. Walther, "Algorithm 799: revolve", ACM TOMS 26, 2000). So 20
places and 3 repetitions are enough for 1,771 steps, and 5 repetitions for 53,130.

How many steps there are need not be known before the loop has run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ..core.dtypes import INT32, SIGNED
from ..core.types import ArrayType
from ..ops.bits import and_
from ..ops.elementwise import div, eq, gt, lt, minimum
from ..ops.slicing import dynamic_slice, dynamic_update_slice
from ..ops.structure import convert, full, reshape, zeros_of

__all__ = ["first_part", "read_row", "reverse_steps", "write_row"]

Values = Sequence[Any]
_INT64 = SIGNED[3]


class Loop(Protocol):
    """`loop(cond, body, init)`: while `cond(*values)`, let the values be `body(*values)`; values are arrays."""

    def __call__(self, cond: Callable[..., Any], body: Callable[..., Values], init: Values) -> list[Any]: ...


def reverse_steps(
    loop: Loop,
    count: Any,
    advance: Callable[..., Values],
    back: Callable[[Values, Values], Values],
    state: Values,
    flowing: Values,
    places: int,
) -> list[Any]:
    """Call `back` for the steps `count - 1` down to 0 of a loop.

    Args:
        loop: how to write a loop.
        count: how many steps there are, an int32[].
        advance: the state after a step, for the state before it.
        back: new flowing values, for the state before the step and the flowing values.
        state: the state before step 0.
        flowing: what `back` is given first.
        places: for how many states, the first included, there is room.

    Returns:
        What `back` returned last.
    """
    if not state:
        count_and_flowing = loop(
            lambda end, *flowing: gt(end, _int(0)),
            lambda end, *flowing: [end - 1, *back((), flowing)],
            [count, *flowing],
        )
        return count_and_flowing[1:]
    kept = _Kept(loop, advance, places, len(state))

    def unfinished(end: Any, *values: Any) -> Any:
        return gt(end, _int(0))

    def reverse_one(end: Any, *values: Any) -> Values:
        top, positions, *rows = values[: kept.width]
        top, positions, *rows = kept.climb(end, top, positions, *rows)
        now = [read_row(row, top) for row in rows]
        now = _run(loop, advance, now, end - 1 - read_row(positions, top))
        after = back(now, values[kept.width :])
        end = end - 1
        used_up = and_(eq(read_row(positions, top), end), gt(top, _int(0)))
        return [end, top - convert(used_up, INT32), positions, *rows, *after]

    return loop(unfinished, reverse_one, [count, *kept.initial(state), *flowing])[1 + kept.width :]


class _Kept:
    """The states that are kept, a stack: `top` is the place of the latest, `positions` says before which step it is.

    Attributes:
        width: of how many arrays it consists.
    """

    def __init__(self, loop: Loop, advance: Callable[..., Values], places: int, parts: int) -> None:
        self.loop = loop
        self.advance = advance
        self.places = places
        self.width = 2 + parts

    def initial(self, state: Values) -> list[Any]:
        rows = [write_row(zeros_of(ArrayType((self.places, *x.shape), x.dtype)), x, _int(0)) for x in state]
        return [_int(0), full(ArrayType((self.places,), INT32), 0), *rows]

    def climb(self, end: Any, *values: Any) -> list[Any]:
        """Keep more states between the latest one and `end`, as the binomial schedule says."""

        def worth_it(top: Any, positions: Any, *rows: Any) -> Any:
            # of two steps the second is reversed at once from a state that needs no place
            return and_(lt(top, _int(self.places - 1)), gt(end - read_row(positions, top), _int(2)))

        def keep_one(top: Any, positions: Any, *rows: Any) -> Values:
            start = read_row(positions, top)
            distance = first_part(self.loop, end - start, self.places - 1 - top)
            state = _run(self.loop, self.advance, [read_row(row, top) for row in rows], distance)
            top = top + 1
            positions = write_row(positions, start + distance, top)
            return [top, positions, *(write_row(row, x, top) for row, x in zip(rows, state, strict=True))]

        return list(values) if self.places == 1 else self.loop(worth_it, keep_one, values)


def first_part(loop: Loop, length: Any, free: Any) -> Any:
    """How far to run before the next state is kept, so that the fewest steps are repeated.

    With `whole(c, r) = C(c + 1 + r, r)` and the smallest `r` for which `whole(free, r) >= length`, it is the smaller of
    `whole(free, r - 1)` and `length - whole(free - 1, r - 1)`.

    Args:
        loop: how to write a loop.
        length: steps from the latest kept state to the end, an int32[] above 1.
        free: places that are left, an int32[] above 0.
    """
    length, free = convert(length, _INT64), convert(free, _INT64)
    one = full(ArrayType((), _INT64), 1)

    def too_few(whole: Any, before: Any, repeats: Any) -> Any:
        return lt(whole, length)

    def repeat_more(whole: Any, before: Any, repeats: Any) -> Values:
        repeats = repeats + 1
        return [div(whole * (free + 1 + repeats), repeats), whole, repeats]

    _, before, repeats = loop(too_few, repeat_more, [one, one, zeros_of(one.type)])
    without_place = div(before * (free + 1), free + repeats)
    return convert(minimum(before, length - without_place), INT32)


def _run(loop: Loop, advance: Callable[..., Values], state: Values, steps: Any) -> list[Any]:
    """The state some steps later."""
    return loop(
        lambda left, *state: gt(left, _int(0)), lambda left, *state: [left - 1, *advance(*state)], [steps, *state]
    )[1:]


def _int(value: int) -> Any:
    return full(ArrayType((), INT32), value)


def read_row(rows: Any, number: Any) -> Any:
    """Row `number` (an int32[]) along the first axis."""
    shape = rows.shape[1:]
    return reshape(dynamic_slice(rows, [number, *[_int(0)] * len(shape)], (1, *shape)), shape)


def write_row(rows: Any, value: Any, number: Any) -> Any:
    """The array with row `number` (an int32[]) along the first axis replaced."""
    return dynamic_update_slice(rows, reshape(value, (1, *value.shape)), [number, *[_int(0)] * value.ndim])
