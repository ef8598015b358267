"""A pytest plugin for the process of the suite: what immutable arrays and compiled functions need there.

Arrays are immutable, so `x[key] = value` is an error in this library. The suite's tests of that statement would end
there; with this plugin they test the functional expression that the standard names for it, `x.at[key].set(value)`,
whose value takes the array's place. And where functions are compiled, drawing examples takes as long as it takes.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from funcgrad import Array


def _set_item(self: Array, key: Any, value: Any, /) -> None:
    result = self.at[key].set(value)
    for slot in ("_buffer", "_device", "_host", "_pending", "_placed", "_type"):
        setattr(self, slot, getattr(result, slot))


Array.__setitem__ = _set_item  # type: ignore[attr-defined]


@pytest.hookimpl(trylast=True)  # after the suite has chosen its settings
def pytest_configure() -> None:
    settings.register_profile("patient", settings(), suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("patient")
