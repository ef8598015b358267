"""Devices: names, defaults, two CPU devices with committed arrays and conflicts."""

from __future__ import annotations

import pickle

import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from tests.backend.subprocesses import run_python


def test_devices_have_names() -> None:
    (device, *_) = fg.devices("cpu")
    assert (device.name, repr(device), device.platform, device.id) == ("cpu:0", "cpu:0", "cpu", 0)
    assert fg.devices("cpu")[0] is device
    assert pickle.loads(pickle.dumps(device)) is device
    assert "cpu" in fg.platforms()


@pytest.mark.parametrize("name", ["cpu:99", "quantum", "cpu:x", "", "cpu:-1", ":0", 3.5])
def test_wrong_names_list_those_there_are(name: object) -> None:
    with pytest.raises(errors.DeviceError, match=r"there is no device .*; there are: .*cpu:0"):
        fg.device_put(fnp.ones(1), name)


def test_an_absent_platform() -> None:
    with pytest.raises(errors.DeviceError, match="there is no platform 'quantum' here; there are: "):
        fg.devices("quantum")


def test_engine_devices_are_understood() -> None:
    device = fg.devices("cpu")[0]
    assert fg.device_put(fnp.ones(1), device.engine_device).device is device


def test_device_put_keeps_values_and_commits() -> None:
    found = fg.device_put({"a": fnp.arange(3), "b": (1.0,)}, "cpu")
    assert found["a"].device is fg.devices("cpu")[0]
    assert found["b"][0].shape == ()
    assert fg.device_get(found)["a"].tolist() == [0, 1, 2]
    assert (found["a"] + 1).device is fg.devices("cpu")[0]


def test_device_put_is_differentiable_and_traceable() -> None:
    def function(x: object) -> object:
        return fnp.sum(fg.device_put(x, "cpu") ** 2)

    for gradient in (fg.grad(function), fg.jit(fg.grad(function))):
        assert fnp.array_equal(gradient(fnp.arange(3.0)), fnp.asarray([0.0, 2.0, 4.0]))


def test_two_devices() -> None:
    """Committed arrays stay where they are, pull others to them, and never mix."""
    printed = run_python(
        """
        import jax
        jax.config.update("jax_num_cpu_devices", 2)
        import numpy as np
        import funcgrad as fg, funcgrad.numpy as fnp

        first, second = fg.devices()
        assert (first.name, second.name) == ("cpu:0", "cpu:1")
        x = fnp.arange(3.0)
        assert x.device is first
        y = fg.device_put(x, "cpu:1")
        assert y.device is second and y.devices() == {second} and y.to("cpu:0").device is first
        np.testing.assert_array_equal(y, x)
        for z in (y + x, fnp.sin(y), fg.jit(lambda a, b: a * b)(x, y), fg.grad(lambda v: fnp.sum(v * v))(y), y[1:]):
            assert z.device is second, z.device
        assert fg.jit(lambda a: a + 1, device="cpu:1")(x).device is second
        buffer = fg.jit(lambda a: a + 1)(y).buffer()
        assert [d.id for d in buffer.devices()] == [second.engine_device.id]

        committed = fg.device_put(x, "cpu:0")
        for conflict in (lambda: committed + y, lambda: fg.jit(lambda a, b: a + b)(committed, y)):
            try:
                conflict()
            except fg.errors.DeviceError as error:
                print(error.message.partition(": ")[2])
        with fg.default_device("cpu:1"):
            assert fg.default_device() is second
            assert fnp.zeros(2).device is second
            assert fg.jit(lambda: fnp.zeros(2) + 1)().device is second
        assert fg.default_device() is first
        moved = fg.jit(lambda a: a * 2)(fg.device_put(y, "cpu:0"))
        assert moved.device is first and moved.tolist() == [0, 2, 4]
        """
    )
    line = "operands live on different devices, cpu:0 and cpu:1. Move one of them first: fg.device_put(x, 'cpu:0').\n"
    assert printed == line * 2
