"""Pytrees: nested containers of arrays, taken apart and put together again.

Tuples, lists, dicts, namedtuples, `None`, and every class registered here or with JAX are containers; everything
else is a leaf. The names are those of `jax.tree` and `jax.tree_util`. Structures that do not match are answered
with the path of the first difference:

    tree.map: the second tree has a dict with keys {a, c} at ['x'] where the first has a dict with keys {a, b}
"""

from __future__ import annotations

import builtins
import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from .backend import registry
from .backend.registry import DictKey, FlattenedIndexKey, GetAttrKey, PyTreeDef, SequenceKey
from .errors import TreeError

__all__ = [
    "DictKey",
    "FlattenedIndexKey",
    "GetAttrKey",
    "KeyPath",
    "Partial",
    "PyTreeDef",
    "SequenceKey",
    "all",
    "all_leaves",
    "broadcast",
    "flatten",
    "flatten_axes",
    "flatten_with_path",
    "keystr",
    "leaves",
    "leaves_with_path",
    "map",
    "map_with_path",
    "reduce",
    "register_dataclass",
    "register_node",
    "register_pytree_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_static",
    "structure",
    "transpose",
    "treedef_is_leaf",
    "treedef_tuple",
    "unflatten",
]

IsLeaf = Callable[[Any], bool] | None
KeyPath = tuple[Any, ...]
Class = TypeVar("Class", bound=type)

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


# -- taking apart and putting together --------------------------------------------------------------------------------


def flatten(tree: Any, is_leaf: IsLeaf = None) -> tuple[list[Any], PyTreeDef]:
    """The leaves of a tree, in order, and the structure that `unflatten` fills again.

    Args:
        tree: any pytree; dict entries come in the order of their sorted keys.
        is_leaf: called on every node; True makes that node a leaf.

    Example:
        >>> flatten({"w": [1, 2], "b": None})
        ([1, 2], PyTreeDef({'b': None, 'w': [*, *]}))
    """
    return registry.flatten(tree, is_leaf)


def unflatten(treedef: PyTreeDef, leaves: Iterable[Any]) -> Any:
    """The tree with this structure and these leaves.

    Raises:
        TreeError: too few or too many leaves.
    """
    leaves = list(leaves)
    if len(leaves) != treedef.num_leaves:
        raise TreeError(f"tree.unflatten: the structure {treedef} has {treedef.num_leaves} leaves, got {len(leaves)}")
    return treedef.unflatten(leaves)


def leaves(tree: Any, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves of a tree, in order."""
    return registry.flatten(tree, is_leaf)[0]


def structure(tree: Any, is_leaf: IsLeaf = None) -> PyTreeDef:
    """The structure of a tree; structures compare with `==` and hash."""
    return registry.flatten(tree, is_leaf)[1]


def map(f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: IsLeaf = None) -> Any:
    """A tree of `f(leaf, *leaves of the other trees at the same place)`.

    Args:
        f: called once per leaf of `tree`.
        tree: gives the result its structure.
        rest: trees that agree with `tree` down to its leaves; below those they may go deeper.
        is_leaf: called on every node of `tree`; True makes that node a leaf.

    Raises:
        TreeError: a tree in `rest` differs; the message names the path of the first difference.

    Example:
        >>> map(lambda p, g: p - 0.1 * g, {"w": 1.0}, {"w": 5.0})
        {'w': 0.5}
    """
    first, treedef = registry.flatten(tree, is_leaf)
    columns = [first, *(_flatten_up_to("tree.map", treedef, tree, r, i, is_leaf) for i, r in enumerate(rest, 1))]
    return treedef.unflatten([f(*values) for values in zip(*columns, strict=True)])


def reduce(function: Callable[[Any, Any], Any], tree: Any, *initializer: Any, is_leaf: IsLeaf = None) -> Any:
    """`function` folded over the leaves from the left, as `functools.reduce`."""
    return functools.reduce(function, leaves(tree, is_leaf), *initializer)


def all(tree: Any, *, is_leaf: IsLeaf = None) -> bool:
    """Whether every leaf is true."""
    return builtins.all(leaves(tree, is_leaf))


def all_leaves(values: Iterable[Any], is_leaf: IsLeaf = None) -> bool:
    """Whether every one of these values is a leaf rather than a container."""
    leaf = structure(0)
    return builtins.all(structure(value, is_leaf) == leaf for value in values)


def transpose(outer_treedef: PyTreeDef, inner_treedef: PyTreeDef | None, pytree_to_transpose: Any) -> Any:
    """A tree of trees turned inside out: outer of inner becomes inner of outer.

    Args:
        outer_treedef: structure of the outer tree.
        inner_treedef: structure of each of its entries; None takes that of the first.
        pytree_to_transpose: a tree of structure outer-of-inner.

    Raises:
        TreeError: the tree does not have that structure.
    """
    values, treedef = flatten(pytree_to_transpose)
    if inner_treedef is None:
        if not outer_treedef.num_leaves:
            raise TreeError("tree.transpose: the outer tree has no leaves, so say what the inner structure is")
        inner = structure(outer_treedef.flatten_up_to(pytree_to_transpose)[0])
    else:
        inner = inner_treedef
    expected = outer_treedef.compose(inner)
    if treedef != expected:
        raise TreeError(f"tree.transpose: expected the structure {expected}, got {treedef}")
    width = inner.num_leaves
    return inner.unflatten([outer_treedef.unflatten(values[i::width]) for i in range(width)])


def broadcast(prefix_tree: Any, full_tree: Any, is_leaf: IsLeaf = None) -> Any:
    """`full_tree` with each leaf replaced by the leaf of `prefix_tree` that stands at or above it.

    Raises:
        TreeError: `prefix_tree` is not a prefix of `full_tree`.
    """
    treedef = structure(full_tree, is_leaf)
    return treedef.unflatten(_broadcast("tree.broadcast", prefix_tree, full_tree, is_leaf, is_leaf))


def treedef_tuple(treedefs: Iterable[PyTreeDef]) -> PyTreeDef:
    """The structure of a tuple whose entries have these structures."""
    return registry.treedef_tuple(list(treedefs))


def treedef_is_leaf(treedef: PyTreeDef) -> bool:
    """Whether a structure is a single leaf."""
    return treedef.num_nodes == 1 and treedef.num_leaves == 1


# -- paths ------------------------------------------------------------------------------------------------------------


def flatten_with_path(tree: Any, is_leaf: IsLeaf = None) -> tuple[list[tuple[KeyPath, Any]], PyTreeDef]:
    """Pairs (path, leaf), in order, and the structure; `keystr` prints a path."""
    return registry.flatten_with_path(tree, is_leaf)


def leaves_with_path(tree: Any, is_leaf: IsLeaf = None) -> list[tuple[KeyPath, Any]]:
    """Pairs (path, leaf), in order."""
    return registry.flatten_with_path(tree, is_leaf)[0]


def map_with_path(f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: IsLeaf = None) -> Any:
    """As `map`, with the leaf's path as the first argument of `f`."""
    pairs, treedef = registry.flatten_with_path(tree, is_leaf)
    others = [_flatten_up_to("tree.map_with_path", treedef, tree, r, i, is_leaf) for i, r in enumerate(rest, 1)]
    paths, first = [p for p, _ in pairs], [leaf for _, leaf in pairs]
    return treedef.unflatten([f(*values) for values in zip(paths, first, *others, strict=True)])


def keystr(path: KeyPath, *, simple: bool = False, separator: str = "") -> str:
    """A path as Python would write it, such as `['w'][0].bias`.

    Args:
        path: a sequence of keys, as `flatten_with_path` gives them.
        simple: write only the names, such as `w/0/bias` with `separator="/"`.
        separator: what stands between the keys.
    """
    return separator.join(_simple_key(key) if simple else str(key) for key in path)


def _simple_key(key: Any) -> str:
    for attribute in ("key", "idx", "name"):
        if hasattr(key, attribute):
            return str(getattr(key, attribute))
    return str(key)


# -- prefix trees -----------------------------------------------------------------------------------------------------


def flatten_axes(name: str, treedef: PyTreeDef, axes: Any) -> list[Any]:
    """One entry of `axes` per leaf of `treedef`, where `axes` may be a prefix of it and `None` counts as an entry.

    Args:
        name: the argument's name for messages, such as `vmap in_axes`.
        treedef: the structure to cover.
        axes: a tree whose leaves stand for everything below them.

    Raises:
        TreeError: `axes` is not a prefix of `treedef`.
    """
    if axes is None or type(axes) is int:
        return [axes] * treedef.num_leaves
    return _broadcast(name, axes, treedef.unflatten([_Leaf()] * treedef.num_leaves), _is_none, None)


class _Leaf:
    """Stands for a leaf of which only the place is known."""


def _is_none(value: Any) -> bool:
    return value is None


def _broadcast(name: str, prefix: Any, full: Any, prefix_is_leaf: IsLeaf, is_leaf: IsLeaf) -> list[Any]:
    entries, treedef = registry.flatten(prefix, prefix_is_leaf)
    try:
        subtrees = treedef.flatten_up_to(full)
    except (ValueError, TypeError):
        found = _difference(prefix, full, (), prefix_is_leaf) or (str(treedef), str(structure(full)), ())
        raise TreeError(
            f"{name} must be a prefix of the tree that it describes: it has {found[0]}{_at(found[2])} "
            f"where the tree has {found[1]}"
        ) from None
    result = []
    for entry, subtree in zip(entries, subtrees, strict=True):
        result.extend([entry] * len(registry.flatten(subtree, is_leaf)[0]))
    return result


# -- differences ------------------------------------------------------------------------------------------------------


def _flatten_up_to(name: str, treedef: PyTreeDef, tree: Any, other: Any, place: int, is_leaf: IsLeaf) -> list[Any]:
    try:
        return treedef.flatten_up_to(other)
    except (ValueError, TypeError):
        found = _difference(tree, other, (), is_leaf) or (str(treedef), str(structure(other)), ())
    ordinal = _ORDINALS[place] if place < len(_ORDINALS) else f"{place + 1}th"
    raise TreeError(f"{name}: the {ordinal} tree has {found[1]}{_at(found[2])} where the first has {found[0]}")


def _difference(first: Any, second: Any, path: KeyPath, is_leaf: IsLeaf) -> tuple[str, str, KeyPath] | None:
    """Where `second` stops agreeing with `first`: what each has there, and the path; None if it never does."""
    if is_leaf is not None and is_leaf(first):
        return None
    one, two = registry.registry.flatten_one_level(first), registry.registry.flatten_one_level(second)
    if one is None:
        return None
    if two is None or type(first) is not type(second) or len(_children(first)) != len(_children(second)):
        return _describe(first), _describe(second), path
    for (key, child), (other_key, other) in zip(_children(first), _children(second), strict=True):
        if key != other_key:
            return _describe(first), _describe(second), path
        found = _difference(child, other, (*path, *key), is_leaf)
        if found is not None:
            return found
    if one[1] != two[1]:
        return f"{_describe(first)} with static data {one[1]!r}", f"one with static data {two[1]!r}", path
    return None


def _children(node: Any) -> list[tuple[KeyPath, Any]]:
    return registry.flatten_with_path(node, lambda x: x is not node)[0]


def _at(path: KeyPath) -> str:
    return f" at {keystr(path)}" if path else ""


def _describe(node: Any) -> str:
    if node is None:
        return "None"
    if type(node) is _Leaf:
        return "a leaf"
    if isinstance(node, dict):
        return f"a dict with keys {{{', '.join(builtins.map(str, sorted(node, key=str)))}}}"
    if hasattr(node, "_fields"):
        return f"a {type(node).__name__}({', '.join(node._fields)})"
    if isinstance(node, (list, tuple)):
        return f"a {type(node).__name__} of length {len(node)}"
    if registry.registry.flatten_one_level(node) is None:
        return f"a leaf of type {type(node).__name__}"
    return f"a {type(node).__name__}"


# -- registering ------------------------------------------------------------------------------------------------------


def register_node(
    nodetype: type, flatten_func: Callable[[Any], tuple[Any, Any]], unflatten_func: Callable[[Any, Any], Any]
) -> None:
    """Make a class a container.

    Args:
        nodetype: the class (its subclasses are not included).
        flatten_func: node → (children, static data); static data is hashable and compares with `==`.
        unflatten_func: (static data, children) → node.

    Raises:
        TreeError: the class is registered already.
    """
    _register(nodetype, registry.register_node, nodetype, flatten_func, unflatten_func)


register_pytree_node = register_node


def register_pytree_with_keys(
    nodetype: type,
    flatten_with_keys: Callable[[Any], tuple[Any, Any]],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_func: Callable[[Any], tuple[Any, Any]] | None = None,
) -> None:
    """As `register_node`, where the first result of `flatten_with_keys` is pairs (key, child), for readable paths."""
    _register(nodetype, registry.register_node_with_keys, nodetype, flatten_with_keys, unflatten_func, flatten_func)


def register_pytree_node_class(cls: Class) -> Class:
    """A class decorator: containers with methods `tree_flatten(self)` and `tree_unflatten(cls, static, children)`."""
    register_node(cls, lambda node: node.tree_flatten(), cls.tree_unflatten)  # type: ignore[attr-defined]
    return cls


def register_static(cls: Class) -> Class:
    """A class decorator: instances are containers without leaves, all of them static data; they must be hashable."""
    register_node(cls, lambda node: ((), node), lambda node, _: node)
    return cls


def register_dataclass(
    nodetype: Any = None,
    data_fields: Sequence[str] | None = None,
    meta_fields: Sequence[str] | None = None,
    drop_fields: Sequence[str] = (),
) -> Any:
    """Make a dataclass a container; usable as a decorator with or without arguments.

    Args:
        nodetype: the dataclass; without it, a decorator is returned.
        data_fields: names of the fields that hold subtrees.
        meta_fields: names of the static fields. A field with `metadata={"static": True}` is static as well.
            Fields that neither list names are data.
        drop_fields: names of the fields to leave out; they need defaults.

    Raises:
        TreeError: not a dataclass, a field that does not exist, or registered already.

    Example:
        >>> @register_dataclass
        ... @dataclasses.dataclass
        ... class Layer:
        ...     weights: object
        ...     activation: str = dataclasses.field(metadata={"static": True})
    """
    if nodetype is None:
        return lambda cls: register_dataclass(cls, data_fields, meta_fields, drop_fields)
    if not (isinstance(nodetype, type) and dataclasses.is_dataclass(nodetype)):
        raise TreeError(
            f"register_dataclass: {nodetype!r} is not a dataclass; write @dataclasses.dataclass below "
            f"@register_dataclass, or use register_pytree_node_class"
        )
    fields = {f.name: f for f in dataclasses.fields(nodetype) if f.init and f.name not in drop_fields}
    for name in (*(data_fields or ()), *(meta_fields or ())):
        if name not in fields:
            raise TreeError(
                f"register_dataclass: {nodetype.__name__} has no field {name!r}; it has {', '.join(fields)}"
            )
    if meta_fields is None:
        chosen = data_fields
        static = [name for name, field in fields.items() if field.metadata.get("static", False)]
        meta_fields = static if chosen is None else [name for name in fields if name not in chosen]
    if data_fields is None:
        data_fields = [name for name in fields if name not in meta_fields]
    _register(nodetype, registry.register_dataclass, nodetype, data_fields, meta_fields, drop_fields)
    return nodetype


def _register(nodetype: type, register: Callable[..., Any], *args: Any) -> None:
    try:
        register(*args)
    except ValueError as error:
        raise TreeError(f"cannot register {nodetype.__name__} as a container: {error}") from None


class Partial(functools.partial):
    """`functools.partial` that is a container: its bound arguments are leaves, its function is static.

    Example:
        >>> leaves(Partial(pow, 2.0))
        [2.0]
    """


def _partial_flatten(partial: Partial) -> tuple[Any, Any]:
    return ((GetAttrKey("args"), partial.args), (GetAttrKey("keywords"), partial.keywords)), partial.func


def _partial_unflatten(function: Callable[..., Any], children: Any) -> Partial:
    args, keywords = children
    return Partial(function, *args, **keywords)


register_pytree_with_keys(Partial, _partial_flatten, _partial_unflatten)
