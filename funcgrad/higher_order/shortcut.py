"""Shortcuts: straight-line Python, written for one kind of call, that recognises such a call and runs its program.

Most calls of a compiled function resemble the one before. Instead of taking the arguments apart and looking the pieces
up, a shortcut checks that they are what it expects, piece by piece, and has the buffers in hand when it is done. It is
written as text and compiled, since the loops and calls of a general function would take longer than the engine does
for a small program (benchmark: dispatch). For two arrays in and one out it reads:

    def shortcut(*args, **kwargs):
        try:
            if not (state.trace is bottom and (scoped() or …) is settings): return other()(args, kwargs)
            if not (not kwargs): return other()(args, kwargs)
            [a1, a2] = args
        except (KeyError, TypeError, ValueError): return other()(args, kwargs)
        if not (type(a1) is Array and a1._placed is k1 and … or fit([a1, a2], k0)): return other()(args, kwargs)
        if watch.on: return dispatch([a1._buffer, a2._buffer], [a1, a2])
        dispatch.calls += 1
        execute = executable.execute
        try: outs = execute([a1._buffer, a2._buffer]).consume_with_handlers(executable.handlers)
        except Exception as error: raise executable.failure('running', error) from None
        r0 = new(Array)
        …
        return r0
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..backend.array import Array, Placed, from_buffers
from ..backend.pending import watch
from ..backend.registry import flatten
from ..config import Settings, config
from ..core.trace import bottom, state
from ..transforms.arguments import lift
from .signature import Arguments, static_key
from .stages import Dispatch

__all__ = ["Shortcut", "long_way", "write_shortcut"]

Shortcut = Callable[..., Any]
Search = Callable[[], Any]  # a weak reference to the method that takes `args` and `kwargs` of calls of other kinds

_FEW = 128  # so many arrays are written out one by one; for more, compiling the text would take too long
_DEEP = 50  # so many containers inside each other are written out; the parser takes less than 200
_NUMBERS = (bool, int, float, complex)  # immutable: the same object is the same value
_PLAIN = (bool, int, str, type(None), type, type(flatten), type(lambda: None))  # `==` and the type tell these apart


def long_way(search: Search) -> Shortcut:
    """What takes the place of a shortcut while there is none."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return search()(args, kwargs)

    return call


def write_shortcut(call: Arguments, dispatch: Dispatch, settings: Settings, search: Search) -> Shortcut | None:
    """The shortcut for calls like this one, whose arguments have their buffers; None if one is on another device."""
    placed = [value._placed for value in call.values]
    if any(p is None or p.place is not dispatch.place for p in placed):
        return None
    return _Writer(call, dispatch, settings, search, placed).written()


class _Writer:
    """Writes one shortcut.

    Attributes:
        lines: its text.
        names: the objects that the text mentions.
        arrays: the variables that hold the traced leaves.
    """

    def __init__(
        self, call: Arguments, dispatch: Dispatch, settings: Settings, search: Search, placed: list[Any]
    ) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {
            "__name__": __name__,  # by which this library knows its own frames
            "Array": Array,
            "bottom": bottom(),
            "dispatch": dispatch,
            "everywhere": vars(config),  # reading an attribute of a class with `__getattr__` takes longer
            "executable": dispatch.executable,
            "fit": _fit,
            "flatten": flatten,
            "from_buffers": from_buffers,
            "new": object.__new__,
            "same": _same,
            "other": search,
            "scoped": config._scoped.get,
            "settings": settings,
            "state": state,
            "watch": watch,
        }
        self.arrays: list[str] = []
        self._known: dict[int, str] = {}
        self._count = 0
        self._call = call
        self._dispatch = dispatch
        self._placed = placed
        self._few = len(placed) <= _FEW
        self._leaves: Iterator[Any] = iter(zip(call.leaves, call.traced, strict=True))

    def written(self) -> Shortcut:
        """The function."""
        self._line("try:")
        self._require("state.trace is bottom and (scoped() or everywhere['_process']) is settings")
        self._read_arguments()
        self._line("except (KeyError, TypeError, ValueError): return other()(args, kwargs)")  # keys, lengths, no hash
        self._check_arrays()
        self._run()
        text = "def shortcut(*args, **kwargs):\n" + "\n".join(f"    {line}" for line in self.lines)
        exec(compile(text, f"<shortcut to {self._dispatch.executable.name}>", "exec"), self.names)
        return self.names.pop("shortcut")  # a function that is among its own names would live too long

    # -- reading arguments -------------------------------------------------------------------------------------------

    def _read_arguments(self) -> None:
        call = self._call
        self._require(f"len(kwargs) == {len(call.kwargs)}" if call.kwargs else "not kwargs")
        positional, named = [iter(structure.children()) for structure in call.structure.children()]
        for place, variable in enumerate(self._unpack("args", len(call.args))):
            self._read_argument(variable, place, positional)
        for name in sorted(call.kwargs):
            self._read_argument(self._assign(f"kwargs[{name!r}]"), name, named)

    def _read_argument(self, variable: str, place: int | str, structures: Iterator[Any]) -> None:
        if place in self._call.fixed:
            self._static(variable, self._call.fixed[place])
        else:
            self._read(variable, next(structures))

    def _read(self, variable: str, structure: Any) -> None:
        """Take the tree in a variable apart."""
        node = structure.node_data()
        if node is None:
            self._leaf(variable)
            return
        kind, data = node
        children = structure.children()
        if kind is type(None):
            self._require(f"{variable} is None")
        elif kind is dict:
            self._require(f"type({variable}) is dict and len({variable}) == {len(children)}")
            for key, child in zip(data, children, strict=True):
                self._read(self._assign(f"{variable}[{self._key(key)}]"), child)
        elif kind is tuple or kind is list:
            self._require(f"type({variable}) is {kind.__name__}")
            for inner, child in zip(self._unpack(variable, len(children)), children, strict=True):
                self._read(inner, child)
        else:
            flat = self._assign(f"flatten({variable})")
            self._require(f"{flat}[1] == {self._name(structure)}")
            for inner in self._unpack(f"{flat}[0]", structure.num_leaves):
                self._leaf(inner)

    def _leaf(self, variable: str) -> None:
        leaf, traced = next(self._leaves)
        if not traced:
            self._static(variable, leaf)
            return
        if type(leaf) is not Array:
            lifting = _Lifting(type(leaf) in _NUMBERS, self._placed[len(self.arrays)])
            self._require(f"type({variable}) is {self._name(type(leaf))}")
            variable = self._assign(f"{self._name(lifting)}({variable})")
        self.arrays.append(variable)

    def _static(self, variable: str, value: Any) -> None:
        if type(value) in _PLAIN:
            expected = self._name(value)
            self._require(f"type({variable}) is type({expected}) and {variable} == {expected}")
        else:
            key = static_key(value)
            self._require(f"same({variable}, {self._name(key)}, {hash(key)})")

    # -- arrays ------------------------------------------------------------------------------------------------------

    def _check_arrays(self) -> None:
        """Write what makes sure that the arrays have the buffers that are expected."""
        placed = self._name(self._placed)
        if self._few:
            pairs = zip(self.arrays, map(self._name, self._placed), strict=True)
            expected = " and ".join([f"type({array}) is Array and {array}._placed is {p}" for array, p in pairs])
        else:
            self._line(f"arrays = [{', '.join(self.arrays)}]")
            expected = f"[array._placed for array in arrays if type(array) is Array] == {placed}"
        if self.arrays:
            self._line(f"if not ({expected} or fit({self._array_list()}, {placed})): return other()(args, kwargs)")

    def _array_list(self) -> str:
        return f"[{', '.join(self.arrays)}]" if self._few else "arrays"

    def _buffer_list(self) -> str:
        if not self._few:
            return "[array._buffer for array in arrays]"
        return f"[{', '.join([f'{array}._buffer' for array in self.arrays])}]"

    # -- running and results -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        dispatch = self._dispatch
        careful = f"return dispatch({self._buffer_list()}, {self._array_list()})"
        if not dispatch.direct:
            self._line(careful)
            return
        self._line(f"if watch.on: {careful}")
        self._line("dispatch.calls += 1")
        self._line("execute = executable.execute")
        self._line(f"try: outs = execute({self._buffer_list()}).consume_with_handlers(executable.handlers)")
        self._line("except Exception as error: raise executable.failure('running', error) from None")
        count = len(dispatch.out_placed)
        if count <= _FEW:
            self._line(f"return {self._built(dispatch.out_tree, map(self._result, range(count)))}")
        else:
            about = (dispatch.out_types, dispatch.out_placed, dispatch.device)
            made = f"from_buffers(outs, {', '.join(map(self._name, about))})"
            self._line(f"return {self._name(dispatch.out_tree.unflatten)}({made})")

    def _result(self, place: int) -> str:
        """Write what makes an array of one result; the variable that holds it."""
        placed = self._dispatch.out_placed[place]
        array = f"r{place}"
        self._line(f"{array} = new(Array)")
        self._line(f"{array}._host = {array}._pending = None")
        self._line(f"{array}._buffer = outs[{place}]")
        self._line(f"{array}._type = {self._name(placed.type)}")
        self._line(f"{array}._device = {self._name(self._dispatch.device)}")
        self._line(f"{array}._placed = {self._name(placed)}")
        return array

    def _built(self, structure: Any, results: Iterator[str], depth: int = 0) -> str:
        """An expression for a tree of results."""
        node = structure.node_data()
        if node is None:
            return next(results)
        kind, data = node
        if kind not in (dict, list, tuple) or depth == _DEEP:
            leaves = [next(results) for _ in range(structure.num_leaves)]
            return f"{self._name(structure.unflatten)}([{', '.join(leaves)}])"
        inner = [self._built(child, results, depth + 1) for child in structure.children()]
        if kind is dict:
            return f"{{{', '.join([f'{self._key(key)}: {value}' for key, value in zip(data, inner, strict=True)])}}}"
        return f"[{', '.join(inner)}]" if kind is list else f"({''.join([f'{value}, ' for value in inner])})"

    # -- text --------------------------------------------------------------------------------------------------------

    def _line(self, text: str) -> None:
        self.lines.append(text)

    def _require(self, condition: str) -> None:
        self._line(f"    if not ({condition}): return other()(args, kwargs)")

    def _assign(self, expression: str) -> str:
        """Write a new variable's assignment; its name."""
        self._count += 1
        self._line(f"    a{self._count} = {expression}")
        return f"a{self._count}"

    def _unpack(self, expression: str, count: int) -> list[str]:
        """Write the assignment of a sequence of that length to as many new variables; their names."""
        names = [f"a{self._count + i}" for i in range(1, count + 1)]
        self._count += count
        self._line(f"    [{', '.join(names)}] = {expression}")
        return names

    def _key(self, key: Any) -> str:
        return repr(key) if type(key) is str else self._name(key)

    def _name(self, value: Any) -> str:
        """The name by which the text mentions an object."""
        name = self._known.get(id(value))
        if name is None:
            name = self._known[id(value)] = f"k{len(self._known)}"
            self.names[name] = value  # which also keeps the object alive, and its number its own
        return name


def _fit(arrays: Sequence[Any], placed: Sequence[Placed]) -> bool:
    """Whether the arrays have the buffers that are expected, or had none and could be given these."""
    return all(type(a) is Array and (a._placed is p or _placed_now(a, p)) for a, p in zip(arrays, placed, strict=True))


def _placed_now(array: Array, placed: Placed) -> bool:
    device = placed.place if placed.committed else None
    if array._placed is not None or array.type is not placed.type or array._device is not device:
        return False
    array.buffer(placed.place)
    return array._placed is placed


def _same(value: Any, key: Any, hashed: int) -> bool:
    """Whether a static value is that of the key. An object that was changed meanwhile has another hash."""
    found = static_key(value)
    return hash(found) == hashed and found == key


class _Lifting:
    """Makes an array of what is not one yet; while the same number comes again and again, always the same array."""

    __slots__ = ("_last", "_placed", "_remembers")

    def __init__(self, remembers: bool, placed: Placed) -> None:
        self._remembers = remembers
        self._placed = placed
        self._last: tuple[Any, Any] = (self, None)

    def __call__(self, leaf: Any) -> Array:
        number, array = self._last
        if leaf is not number or array._placed is not self._placed:  # it may have been donated
            array = lift(leaf)
            if array.type is self._placed.type:
                array.buffer(self._placed.place)
                if self._remembers:
                    self._last = leaf, array
        return array
