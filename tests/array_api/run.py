"""`python -m tests.array_api.run SUITE`: runs the official suite of the Array API standard and judges what it says.

SUITE is a checkout of data-apis/array-api-tests with its submodule; nothing of it is kept here. Exits with 1 if a test
failed or was skipped that `known_faults.txt` does not list.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
VERSION = "2025.12"
MODULES = {"eager": "funcgrad.numpy", "jit": "tests.array_api.compiled"}
PASSED = ("passed", "xpassed")


def known_faults() -> dict[str, str]:
    """The tests that are known to fail or to be skipped through no fault of ours, each with the reason."""
    found: dict[str, str] = {}
    reason: list[str] = []
    fresh = True
    for line in (HERE / "known_faults.txt").read_text().splitlines():
        if line.startswith("#"):
            reason = [*([] if fresh else reason), line.removeprefix("#").strip()]
            fresh = False
        elif line:
            found[line] = " ".join(reason)
            fresh = True
    return found


def run_suite(suite: Path, mode: str, examples: int, arguments: list[str]) -> dict[str, str]:
    """The outcome of each of the suite's tests by its name."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        command = [
            sys.executable, "-m", "pytest", "-q", "--disable-warnings", "-p", "no:cacheprovider",
            "-p", "tests.array_api.plugin", f"--max-examples={examples}",
            *(["--disable-deadline"] if mode == "jit" else []),
            "--json-report", "--json-report-omit", "streams", "keywords", "log", f"--json-report-file={report}",
            *(arguments or ["array_api_tests"]),
        ]  # fmt: skip
        environment = os.environ | {
            "ARRAY_API_TESTS_MODULE": MODULES[mode],
            "ARRAY_API_TESTS_VERSION": VERSION,
            "HYPOTHESIS_STORAGE_DIRECTORY": scratch,
            "PYTHONPATH": str(ROOT),
        }
        finished = subprocess.run(command, cwd=suite, env=environment, check=False)
        if not report.exists():
            sys.exit(f"the suite did not run (exit status {finished.returncode})")
        tests = json.loads(report.read_text())["tests"]
    return {test["nodeid"]: test["outcome"] for test in tests}


def judge(outcomes: dict[str, str], known: dict[str, str]) -> int:
    """Print what is to be said about the outcomes; how many of them are neither passed nor known."""
    wrong = {name: outcome for name, outcome in outcomes.items() if outcome not in PASSED}
    for name, outcome in wrong.items():
        print(f"{'known ' if name in known else ''}{outcome}: {name}")
    for name in known:
        if outcomes.get(name) in PASSED:
            print(f"passed, though listed as a fault: {name}")
    unknown = [name for name in wrong if name not in known]
    counts = ", ".join(f"{number} {outcome}" for outcome, number in Counter(outcomes.values()).items())
    print(f"{counts}; of those not passed, {len(unknown)} are no known fault of the suite")
    return len(unknown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", type=Path, help="a checkout of data-apis/array-api-tests, with its submodule")
    parser.add_argument("--mode", choices=MODULES, default="eager", help="how functions run (default: eager)")
    parser.add_argument("--examples", type=int, default=20, help="examples that Hypothesis tries for each test")
    options, arguments = parser.parse_known_args()
    if not (options.suite / "array_api_tests").is_dir() or not (options.suite / "array-api" / "spec").is_dir():
        parser.error(f"{options.suite} is no checkout of data-apis/array-api-tests with its submodule array-api")
    start = time.perf_counter()
    outcomes = run_suite(options.suite, options.mode, options.examples, arguments)
    unknown = judge(outcomes, known_faults())
    print(f"{options.mode}, {options.examples} examples: {time.perf_counter() - start:.0f} s")
    sys.exit(unknown > 0)


if __name__ == "__main__":
    main()
