"""The command `python -m funcgrad`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import funcgrad as fg
from funcgrad.__main__ import main
from tests.backend.subprocesses import ROOT


def fill(directory: Path, *sizes: int) -> None:
    directory.mkdir(mode=0o700)
    for number, size in enumerate(sizes):
        path = directory / f"{number:064x}.compiled"
        path.write_bytes(bytes(size))
        os.utime(path, (86400 * (1 + number), 86400 * (1 + number)))


def test_info(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path / "cache", 1 << 20, 3 << 20)
    with fg.config(cache=True, cache_dir=tmp_path / "cache", cache_size=8 << 20):
        assert main(["cache", "info"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        f"directory: {tmp_path / 'cache'}",
        "switched:  on",
        "entries:   2",
        "size:      4.0 MiB of 8.0 MiB",
    ]
    assert lines[4].startswith("last used: between 1970-01-0")


def test_info_of_what_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with fg.config(cache=False):
        assert main(["cache", "info", "--dir", str(tmp_path / "none")]) == 0
    assert capsys.readouterr().out == (
        f"directory: {tmp_path / 'none'}\nswitched:  off (FUNCGRAD_CACHE=0)\nentries:   0\n"
        "size:      0.0 MiB of 2,048.0 MiB\n"
    )
    assert not (tmp_path / "none").exists()


def test_clear(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path / "cache", 10)
    (tmp_path / "cache" / "notes.txt").write_text("mine")
    assert main(["cache", "clear", "--dir", str(tmp_path / "cache")]) == 0
    assert main(["cache", "clear", "--dir", str(tmp_path / "cache")]) == 0
    assert capsys.readouterr().out == (
        f"1 entry removed from {tmp_path / 'cache'}\n0 entries removed from {tmp_path / 'cache'}\n"
    )
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("action", ["info", "clear"])
def test_a_directory_that_cannot_be_used(action: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path / "cache", 10)
    (tmp_path / "cache").chmod(0o777)
    assert main(["cache", action, "--dir", str(tmp_path / "cache")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"The cache of compiled programs in {tmp_path / 'cache'} cannot be used: other users may write to it; "
        f"`chmod go-w {tmp_path / 'cache'}` forbids that.\n"
        "Name another one with --dir or the environment variable FUNCGRAD_CACHE_DIR.\n"
    )
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_no_home(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with fg.config(cache_dir=None):
        assert main(["cache", "info"]) == 1
    assert "has no directory: there is no home directory." in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["cache"], ["cache", "remove"], ["run"]])
def test_other_words_are_explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m funcgrad" in capsys.readouterr().err


def test_as_a_command(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FUNCGRAD_CACHE_DIR": str(tmp_path)}
    finished = subprocess.run(
        [sys.executable, "-m", "funcgrad", "cache", "info"], env=environment, capture_output=True, text=True, check=True
    )
    assert finished.stdout.startswith(f"directory: {tmp_path}\n")
