"""The operation that calls a Program: what `jit` leaves in a trace. Transformations transform the program inside."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..backend.array import Array, from_buffer
from ..backend.client import default_device
from ..backend.pending import inherited, watch
from ..compiler.evaluate import common_device
from ..compiler.lower import lower_call
from ..compiler.simplify import results_only, simplify
from ..compiler.tiered import interpretation, prepare_program
from ..config import config
from ..core.graph import Graph
from ..core.primitive import Primitive
from ..core.program import Atom, Program, run_program
from ..core.trace import bottom, run_under
from ..core.types import ArrayType, Zero, is_linear
from ..transforms.jvp import jvp_program
from ..transforms.mask import mask_program
from ..transforms.partial_eval import partial_eval_call
from ..transforms.transpose import transpose_program
from ..transforms.vmap import batch_program
from .inside import applied, simpler_call

__all__ = ["Call", "RunsProgram"]


class RunsProgram(Primitive):
    """A family: operations that run one program without constants on their operands. Subclasses write `of`."""

    multiple = True
    takes_zeros = True
    plain = False

    program: Program

    def of(self, program: Program) -> RunsProgram:
        """The same operation of another program."""
        raise NotImplementedError

    @property
    def axis_names(self) -> frozenset[Any]:
        return self.program.axis_names

    @property
    def effects(self) -> frozenset[str]:  # type: ignore[override]
        return self.program.effects

    @property
    def payload(self) -> int:  # type: ignore[override]
        return self.program.payload

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        return tuple(t.strong() for t in self.program.out_types)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        results = run_under(bottom(), run_program, self.program, [Array(x) for x in operands])
        return tuple(result.host() for result in results)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        return lower_call(build, self.program, operands)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        program, nonzero = jvp_program(self.program, tuple(type(t) is not Zero for t in tangents))
        results = self.of(program)(*primals, *(t for t in tangents if type(t) is not Zero))
        outs, found = results[: len(nonzero)], iter(results[len(nonzero) :])
        return outs, tuple(next(found) if n else Zero(o.type) for o, n in zip(outs, nonzero, strict=True))

    def transpose(self, cts: tuple[Any, ...], *inputs: Any) -> tuple[Any | None, ...]:
        program, nonzero = _transposed(self.program, tuple(is_linear(x) for x in inputs))
        known = [x for x in inputs if not is_linear(x)]
        results = iter(self.of(program)(*known, *cts))
        flags = iter(nonzero)
        return tuple(next(results) if is_linear(x) and next(flags) else None for x in inputs)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return self.batch_named(None, size, operands, axes)

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        program, out_axes = batch_program(self.program, size, axes, name)
        return self.of(program)(*operands), out_axes

    def without(self, unused: tuple[bool, ...]) -> tuple[Primitive, tuple[int, ...], tuple[int, ...]] | None:
        if not any(unused):
            return None
        wanted = tuple(i for i, dead in enumerate(unused) if not dead)
        program, used = results_only(self.program, wanted)
        inputs = [program.inputs[i] for i in used]
        smaller = Program(inputs, (), program.equations, program.outputs, program.name)
        return self.of(smaller), tuple(used), wanted

    def masked(self, mask: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        return self.of(mask_program(self.program))(mask, *operands)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        return simpler_call(self, graph, inputs)


@lru_cache(maxsize=1024)
def _transposed(program: Program, linear: tuple[bool, ...]) -> tuple[Program, tuple[bool, ...]]:
    transposed, nonzero = transpose_program(program, linear)
    return simplify(transposed), nonzero


class Call(RunsProgram):
    """Runs a program without constants as one compiled unit."""

    runs_itself = True

    def of(self, program: Program) -> Call:
        return Call(program)

    def run(self, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        if interpretation() is not None:
            return tuple(run_program(self.program, arrays))
        device = common_device(self.program.name, arrays)
        place = device or default_device()
        executable = prepare_program(self.program, place, regions=config.current.regions)
        parents = inherited(arrays) if watch.on else ()
        buffers, pending = executable.run([array.buffer(place) for array in arrays], parents)
        committed = device is not None
        return tuple([from_buffer(b, t, place, committed, pending) for b, t in zip(buffers, self.infer(), strict=True)])

    def partial_eval(self, trace: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return partial_eval_call(Call, self.program, trace, args)

    def written_out(self, inputs: Sequence[Atom]) -> tuple[Program, Sequence[Atom]] | None:
        return applied(self.program, inputs)
