"""Composable transformations of array functions: differentiate, vectorise, compile; eager on NumPy, compiled by XLA."""

from . import errors, lax, nn, numpy, random, tree
from .backend.array import Array
from .backend.client import Device, devices, platforms
from .config import config
from .higher_order.jit import Jitted, eval_shape, jit, make_program
from .higher_order.signature import ShapeDtypeStruct
from .higher_order.stages import Compiled, Lowered
from .transforms.grad import (
    grad,
    hessian,
    hvp,
    jacfwd,
    jacrev,
    linearize,
    stop_gradient,
    value_and_grad,
    vjp,
)
from .transforms.jvp import jvp
from .transforms.placement import block_until_ready, default_device, device_get, device_put
from .transforms.transpose import linear_transpose
from .transforms.vmap import vmap

__version__ = "0.1.0"

__all__ = [
    "Array",
    "Compiled",
    "Device",
    "Jitted",
    "Lowered",
    "ShapeDtypeStruct",
    "block_until_ready",
    "config",
    "default_device",
    "device_get",
    "device_put",
    "devices",
    "errors",
    "eval_shape",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacrev",
    "jit",
    "jvp",
    "lax",
    "linear_transpose",
    "linearize",
    "make_program",
    "nn",
    "numpy",
    "platforms",
    "random",
    "stop_gradient",
    "tree",
    "value_and_grad",
    "vjp",
    "vmap",
]
