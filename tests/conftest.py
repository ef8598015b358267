"""Hypothesis draws the same examples in every run; for a longer, random search: `HYPOTHESIS_PROFILE=long make test`."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "short",
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,  # the first example of a test may compile
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("long", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))
