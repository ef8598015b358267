"""Pytrees: the user's face of the registry, and the messages where structures differ."""

import dataclasses
from collections import namedtuple
from typing import Any

import jax
import pytest

from funcgrad import tree
from funcgrad.errors import TreeError

Point = namedtuple("Point", "x y")


@tree.register_dataclass
@dataclasses.dataclass
class Layer:
    weights: Any
    activation: str = dataclasses.field(default="relu", metadata={"static": True})


@tree.register_dataclass(meta_fields=("name",))
@dataclasses.dataclass
class Named:
    value: Any
    name: str


@tree.register_pytree_node_class
class Pair:
    def __init__(self, first, second, label):
        self.first, self.second, self.label = first, second, label

    def tree_flatten(self):
        return (self.first, self.second), self.label

    @classmethod
    def tree_unflatten(cls, label, children):
        return cls(*children, label)


NESTED = {"w": [1, (2, None)], "b": Point(3, Layer(4, "tanh")), "a": Pair(5, 6, "p")}


def test_flattening_agrees_with_jax_and_goes_back():
    leaves, treedef = tree.flatten(NESTED)
    assert leaves == jax.tree.leaves(NESTED) == [5, 6, 3, 4, 1, 2]
    assert treedef == jax.tree.structure(NESTED) == tree.structure(NESTED)
    back = tree.unflatten(treedef, leaves)
    assert back["b"] == NESTED["b"]
    assert back["a"].label == "p"
    assert tree.leaves({"x": None}, is_leaf=lambda x: x is None) == [None]


def test_unflatten_counts_leaves():
    with pytest.raises(TreeError, match="has 2 leaves, got 3"):
        tree.unflatten(tree.structure([0, 0]), [1, 2, 3])


def test_map_over_several_trees():
    assert tree.map(lambda x, y: (x, y), {"a": 1, "b": [2]}, {"a": 3, "b": [{"c": 4}]}) == {
        "a": (1, 3),
        "b": [(2, {"c": 4})],
    }
    assert tree.map(len, [[1, 2], [3]], is_leaf=lambda x: isinstance(x, list) and isinstance(x[0], int)) == [2, 1]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            {"x": {"a": 1, "b": 2}},
            {"x": {"a": 1, "c": 2}},
            "tree.map: the second tree has a dict with keys {a, c} at ['x'] "
            "where the first has a dict with keys {a, b}",
        ),
        ([1, 2], [1], "tree.map: the second tree has a list of length 1 where the first has a list of length 2"),
        (
            [{"k": (1,)}],
            [{"k": [1]}],
            "tree.map: the second tree has a list of length 1 at [0]['k'] where the first has a tuple of length 1",
        ),
        ([1, None], [1, 2.0], "tree.map: the second tree has a leaf of type float at [1] where the first has None"),
        (
            Point(1, [2]),
            Point(1, 2),
            "tree.map: the second tree has a leaf of type int at .y where the first has a list of length 1",
        ),
        (
            Layer(1, "a"),
            Layer(1, "b"),
            "tree.map: the second tree has one with static data ('b',) where the first has "
            "a Layer with static data ('a',)",
        ),
    ],
)
def test_a_mismatch_is_named_by_its_path(first, second, message):
    with pytest.raises(TreeError) as caught:
        tree.map(lambda x, y: x, first, second)
    assert caught.value.message == message


def test_paths():
    pairs, _ = tree.flatten_with_path(NESTED)
    paths = [tree.keystr(path) for path, _ in pairs]
    assert paths == [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_flatten_with_path(NESTED)[0]]
    assert tree.keystr(pairs[-1][0]) == "['w'][1][0]"
    assert tree.keystr(pairs[-1][0], simple=True, separator="/") == "w/1/0"
    named = tree.map_with_path(lambda path, x: f"{tree.keystr(path)}={x}", {"a": [1]})
    assert named == {"a": ["['a'][0]=1"]}


def test_reduce_all_transpose_broadcast():
    assert tree.reduce(lambda x, y: x + y, {"a": 1, "b": [2, 3]}, 10) == 16
    assert tree.all([True, 1])
    assert not tree.all({"a": 0})
    assert tree.all_leaves([1, 2.0])
    assert not tree.all_leaves([1, [2]])
    outer, inner = tree.structure([0, 0]), tree.structure({"a": 0, "b": 0})
    turned = tree.transpose(outer, inner, [{"a": 1, "b": 2}, {"a": 3, "b": 4}])
    assert turned == {"a": [1, 3], "b": [2, 4]} == tree.transpose(outer, None, [{"a": 1, "b": 2}, {"a": 3, "b": 4}])
    assert tree.broadcast({"a": 1, "b": 2}, {"a": [0, 0], "b": 0}) == {"a": [1, 1], "b": 2}
    with pytest.raises(TreeError, match=r"tree\.transpose: expected the structure"):
        tree.transpose(outer, inner, [{"a": 1}, {"a": 3}])


def test_prefix_trees_of_axes():
    treedef = tree.structure(({"a": 0, "b": [0, None]}, 0))
    assert tree.flatten_axes("vmap in_axes", treedef, 1) == [1, 1, 1]
    assert tree.flatten_axes("vmap in_axes", treedef, (None, 0)) == [None, None, 0]
    assert tree.flatten_axes("vmap in_axes", treedef, ({"a": 0, "b": None}, 2)) == [0, None, 2]
    with pytest.raises(TreeError) as caught:
        tree.flatten_axes("vmap in_axes", treedef, ({"a": 0}, 2))
    assert caught.value.message == (
        "vmap in_axes must be a prefix of the tree that it describes: it has a dict with keys {a} at [0] "
        "where the tree has a dict with keys {a, b}"
    )


def test_dataclasses_and_partial():
    assert tree.leaves(Layer(1)) == [1]
    assert tree.map(lambda x: x + 1, Named(1, "n")) == Named(2, "n")
    added = tree.map(lambda x: x * 10, tree.Partial(pow, 2))
    assert isinstance(added, tree.Partial)
    assert added(2) == 400
    with pytest.raises(TreeError, match="is not a dataclass"):
        tree.register_dataclass(Point)
    with pytest.raises(TreeError, match="has no field 'missing'"):
        tree.register_dataclass(data_fields=("missing",))(dataclasses.make_dataclass("Made", ["x"]))
    with pytest.raises(TreeError, match="cannot register Layer"):
        tree.register_dataclass(Layer)


def test_static_classes_have_no_leaves():
    @tree.register_static
    @dataclasses.dataclass(frozen=True)
    class Shape:
        n: int

    leaves, treedef = tree.flatten([Shape(3), 1])
    assert leaves == [1]
    assert tree.unflatten(treedef, [2]) == [Shape(3), 2]
    assert treedef != tree.structure([Shape(4), 1])
