"""The pytree registry: JAX's own, so containers registered with JAX just work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.tree_util
from jax.tree_util import DictKey, FlattenedIndexKey, GetAttrKey, SequenceKey

if TYPE_CHECKING:
    PyTreeDef = Any
else:
    from jax.tree_util import PyTreeDef

__all__ = [
    "DictKey",
    "FlattenedIndexKey",
    "GetAttrKey",
    "PyTreeDef",
    "SequenceKey",
    "flatten",
    "flatten_with_path",
    "register_dataclass",
    "register_node",
    "register_node_with_keys",
    "registry",
    "treedef_tuple",
]

registry = jax.tree_util.default_registry
flatten = registry.flatten
flatten_with_path = jax.tree_util.tree_flatten_with_path
register_node = jax.tree_util.register_pytree_node
register_node_with_keys = jax.tree_util.register_pytree_with_keys
register_dataclass = jax.tree_util.register_dataclass
treedef_tuple = jax.tree_util.treedef_tuple
