"""Composable transformations of array functions: differentiate, vectorise, compile; eager on NumPy, compiled by XLA."""

from . import custom_batching, custom_derivatives, debug, errors, lax, nn, numpy, random, testing, tree
from .backend.array import Array
from .backend.client import Device, devices, platforms
from .backend.pending import effects_barrier
from .config import config
from .higher_order import policies as checkpoint_policies
from .higher_order.callback import io_callback, pure_callback
from .higher_order.checkpoint import checkpoint, checkpoint_name, remat
from .higher_order.checks import check
from .higher_order.closures import closure_convert
from .higher_order.custom import custom_gradient, custom_jvp, custom_vjp, custom_vmap
from .higher_order.jit import Jitted, clear_caches, disable_jit, eval_shape, jit, make_program
from .higher_order.residuals import Residual, print_saved_residuals, saved_residuals
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
    "Residual",
    "ShapeDtypeStruct",
    "block_until_ready",
    "check",
    "checkpoint",
    "checkpoint_name",
    "checkpoint_policies",
    "clear_caches",
    "closure_convert",
    "config",
    "custom_batching",
    "custom_derivatives",
    "custom_gradient",
    "custom_jvp",
    "custom_vjp",
    "custom_vmap",
    "debug",
    "default_device",
    "device_get",
    "device_put",
    "devices",
    "disable_jit",
    "effects_barrier",
    "errors",
    "eval_shape",
    "grad",
    "hessian",
    "hvp",
    "io_callback",
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
    "print_saved_residuals",
    "pure_callback",
    "random",
    "remat",
    "saved_residuals",
    "stop_gradient",
    "testing",
    "tree",
    "value_and_grad",
    "vjp",
    "vmap",
]
