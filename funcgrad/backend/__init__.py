"""The engine room: the only folder that imports jax and jaxlib.

Promise: everything the rest of the library needs of XLA, PJRT, device buffers, MLIR and the pytree registry is
behind these files, and every difference between jaxlib versions is kept here.
"""
