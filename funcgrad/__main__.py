"""The command `python -m funcgrad`: what the cache of compiled programs holds, and how to empty it."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from .compiler.disk import clear, directory_path, usage
from .config import config

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: the words after `python -m funcgrad`; by default those of this process.

    Returns:
        The exit status: 0, or 1 if the cache cannot be used.
    """
    parser = argparse.ArgumentParser("python -m funcgrad", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="cache")
    cache = commands.add_parser("cache", help="compiled programs on disk")
    cache.add_argument("action", choices=("info", "clear"), help="say what is there, or remove all of it")
    cache.add_argument("--dir", help="the directory, if it is not the one of the environment or the platform")
    given = parser.parse_args(arguments)
    with config(**({} if given.dir is None else {"cache_dir": given.dir})):
        try:
            path = directory_path()
        except OSError as error:
            return _fail("The cache of compiled programs has no directory", error)
        try:
            _say(_info(path) if given.action == "info" else _clear(path))
        except OSError as error:
            return _fail(f"The cache of compiled programs in {path} cannot be used", error)
    return 0


def _info(path: str) -> str:
    found = usage(path)
    rows = {
        "directory": path,
        "switched": "on" if config.cache else "off (FUNCGRAD_CACHE=0)",
        "entries": str(found.entries),
        "size": f"{_size(found.bytes)} of {_size(config.cache_size)}",
    }
    if found.oldest is not None and found.newest is not None:
        rows["last used"] = f"between {_moment(found.oldest)} and {_moment(found.newest)}"
    return "\n".join(f"{name + ':':<11}{value}" for name, value in rows.items())


def _clear(path: str) -> str:
    count = clear(path)
    return f"{count} {'entry' if count == 1 else 'entries'} removed from {path}"


def _size(count: int) -> str:
    return f"{count / 2**20:,.1f} MiB"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _fail(what: str, error: OSError) -> int:
    sys.stderr.write(
        f"{what}: {error.strerror or error}.\nName another one with --dir or the environment variable "
        f"FUNCGRAD_CACHE_DIR.\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
