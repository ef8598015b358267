"""Hypothesis draws the same examples in every run; for a longer, random search: `HYPOTHESIS_PROFILE=long make test`.

Tests leave the user's cache of compiled programs alone. They have their own, which is off unless a test switches it on,
so that none finds what another one compiled.
"""

import atexit
import os
import shutil
import signal
import tempfile

from hypothesis import HealthCheck, settings

os.environ["FUNCGRAD_CACHE_DIR"] = tempfile.mkdtemp(prefix="funcgrad-tests-")  # read when funcgrad is imported
os.environ.setdefault("FUNCGRAD_CACHE", "0")
atexit.register(shutil.rmtree, os.environ["FUNCGRAD_CACHE_DIR"], ignore_errors=True)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell; some tests press Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)

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
