"""The bottom interpreter: NumPy on the host without a compile; one-operation programs on accelerators."""

from __future__ import annotations

import numpy as np

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.backend.executable import compile_count
from tests.backend.subprocesses import run_python


def test_eager_work_on_the_host_compiles_nothing() -> None:
    before = compile_count()
    x = fnp.linspace(0, 1, 12).reshape(3, 4)
    fg.grad(lambda x: fnp.sum(fnp.tanh(x @ x.T)))(x)
    fg.vmap(fnp.max)(x)
    fg.hessian(lambda v: fnp.sum(v**3))(x[0])
    fnp.sort(x, axis=0).at[0].set(1.0)[fnp.asarray([1, 2])]
    fg.random.normal(fg.random.key(0), (3,))
    fg.linearize(fnp.sin, x)[1](x)
    assert compile_count() == before


def test_one_operation_programs_run_where_their_operands_live() -> None:
    """cpu:1 is declared not to be the host: eager work there must compile, agree, and stay there."""
    printed = run_python(
        """
        import jax
        jax.config.update("jax_num_cpu_devices", 2)
        import numpy as np
        import funcgrad as fg, funcgrad.numpy as fnp
        from funcgrad.backend.executable import compile_count

        host, other = fg.devices()
        other.is_host = False
        values = np.linspace(-1, 1, 12).reshape(3, 4).astype(np.float32)
        x, y = fnp.asarray(values), fg.device_put(values, "cpu:1")

        def functions():
            yield lambda x: x + 1
            yield lambda x: fnp.sin(x) @ x.T
            yield lambda x: x[1:, ::2]
            yield lambda x: x.at[0].set(5.0)
            yield lambda x: fnp.sort(x, axis=1)
            yield lambda x: fnp.max(x, axis=0)
            yield lambda x: fnp.where(x > 0, x, 0)
            yield lambda x: fg.vmap(fnp.cumsum)(x)
            yield fg.grad(lambda x: fnp.sum(fnp.tanh(x) ** 2))
            yield lambda x: fg.jvp(fnp.exp, (x,), (x,))[1]
            yield fg.jit(lambda x: x * 2)

        before = compile_count()
        for function in functions():
            expected, found = function(x), function(y)
            assert found.device is other, found.device
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        compiled = compile_count() - before
        assert compiled > 10, compiled
        for function in functions():
            function(y)
        print(compile_count() - before - compiled)

        with fg.default_device("cpu:1"):
            z = fnp.arange(3.0) * 2
            assert z.device is other and z._device is None
            np.testing.assert_array_equal(z, [0, 2, 4])
        assert (y.to("cpu:0") + x).device is host
        """
    )
    assert printed == "0\n"  # the second round finds every program compiled; jit and vmap trace anew but agree


def test_results_are_arrays_of_the_inferred_type() -> None:
    for found in (fnp.sum(fnp.ones(3)), fnp.argmax(fnp.ones(3)), fnp.asarray(2) + 1, fnp.ones((2, 2))[0, 0]):
        assert isinstance(found, fg.Array)
        assert isinstance(found.host(), np.ndarray)
        assert found.shape == ()
