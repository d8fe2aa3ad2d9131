"""An environment as one file: packed, run from memory, cleaned up, also after a kill."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVS = ROOT / "envs"
needs_squashfs = pytest.mark.skipif(
    shutil.which("mksquashfs") is None or shutil.which("unsquashfs") is None,
    reason="mksquashfs and unsquashfs are not installed (Debian: squashfs-tools)",
)
pytestmark = [needs_squashfs, pytest.mark.slow]

# A program with a child; the child writes down the first signal that it hears, and ends.
PARENT = """
import os, pathlib, signal, sys, time
folder, ended = pathlib.Path(sys.argv[1]), {signal.SIGTERM: 5, signal.SIGINT: 6}
child = os.fork() == 0
def hear(number, frame):
    if child:
        with (folder / "said").open("a") as file:
            file.write(f"{number}\\n")
        here()
    os._exit(ended.get(number, 0))
def here():
    with (folder / "here").open("a") as file:
        file.write(f"{os.getpid()}\\n")
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
    signal.signal(number, hear)
while not child and not ((folder / "here").exists() and (folder / "here").stat().st_size):
    time.sleep(0.01)  # the child's line is the first
here()
time.sleep(60)
"""


class Image:
    """A packed folder of scripts, and where this user's copies of it lie."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.memory = folder, folder / "memory"
        self.memory.mkdir()
        bin_ = folder / "venv" / "bin"
        bin_.mkdir(parents=True)
        script(bin_ / "python", f'echo "$LUMIPIPE_PYTHON" "$0" "$@" >> "{folder}/said"')
        script(bin_ / "wait", f'trap "exit 7" TERM; echo $$ >> "{folder}/here"; sleep 30 & wait')
        script(
            bin_ / "interrupted", f'trap "exit 9" INT; echo $$ >> "{folder}/here"; sleep 30 & wait'
        )
        script(bin_ / "echo", "cat")
        (folder / "parent.py").write_text(PARENT, encoding="utf-8")
        script(bin_ / "parent", f'exec "{sys.executable}" "{folder}/parent.py" "{folder}"')
        subprocess.run([ENVS / "image.sh", folder / "venv", folder / "made"], check=True)

    def start(self, program: str, **options: object) -> subprocess.Popen[str]:
        """A program of the image, started by the script that jobs use."""
        return subprocess.Popen(
            [self.folder / "made" / "unpacked.sh", self.folder / "made" / "image.sqsh", program],
            env=self.environment(),
            text=True,
            **options,
        )

    def environment(self) -> dict[str, str]:
        """Where copies go in these tests."""
        return os.environ | {"LUMIPIPE_UNPACK": str(self.memory)}

    def running(self, count: int = 1) -> list[int]:
        """The ids of the programs that said that they run, when so many have said it."""
        here = self.folder / "here"
        while not here.exists() or here.read_text().count("\n") < count:
            time.sleep(0.02)  # the timeout of the test ends a wait in vain
        return [int(line) for line in here.read_text().splitlines()]

    def copies(self) -> list[Path]:
        """The copies that lie in memory, whole ones and parts."""
        return [path for path in self.memory.glob("*/*") if path.is_dir()]


def script(path: Path, text: str) -> None:
    """An executable shell script."""
    path.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def image(tmp_path: Path) -> Iterator[Image]:
    """An image of four scripts."""
    return Image(tmp_path)


def test_one_file_and_two_commands(image: Image) -> None:
    made = image.folder / "made"
    files = sorted(path.relative_to(made).as_posix() for path in made.rglob("*"))
    assert files == ["bin", "bin/lumipipe", "bin/python", "image.sqsh", "unpacked.sh"]
    subprocess.run([made / "bin" / "lumipipe", "a b", "$c"], env=image.environment(), check=True)
    python, copy, *words = (image.folder / "said").read_text().split(" ", 2)
    assert python == f"{made}/bin/python"  # what Snakemake starts jobs with: on every node
    assert copy.startswith(f"{image.memory}/lumipipe-{os.getuid()}/")
    assert words == ["-I -m lumipipe a b $c\n"]
    assert image.copies() == []


@pytest.mark.parametrize("attempt", range(5))  # who comes first is chance
def test_all_processes_of_a_node_share_one_copy(image: Image, attempt: int) -> None:
    started = [image.start("bin/wait") for _ in range(4)]
    image.running(4)  # all run at once: no one waits for the end of another
    assert [process.poll() for process in started] == [None] * 4
    assert len(image.copies()) == 1
    for process in started[1:]:
        process.terminate()
    assert {process.wait() for process in started[1:]} == {7}
    assert len(image.copies()) == 1  # the first still runs from it
    started[0].terminate()
    assert started[0].wait() == 7
    assert image.copies() == []


def test_the_exit_code_and_standard_input_are_handed_on(image: Image) -> None:
    process = image.start("bin/echo", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.communicate("text")[0] == "text"
    process = image.start("bin/interrupted")
    image.running()
    process.send_signal(signal.SIGINT)
    assert process.wait() == 9


def test_only_ctrl_c_reaches_the_children_of_the_program(image: Image) -> None:
    said = image.folder / "said"
    process = image.start("bin/parent")
    child, _ = image.running(2)
    process.terminate()
    assert process.wait() == 5
    os.kill(child, signal.SIGUSR1)  # it lives, and heard nothing before
    image.running(3)
    assert said.read_text() == f"{signal.SIGUSR1}\n"
    (image.folder / "here").unlink()
    process = image.start("bin/parent")
    image.running(2)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 6
    image.running(3)
    assert said.read_text() == f"{signal.SIGUSR1}\n{signal.SIGINT}\n"


def test_what_a_killed_process_left_is_used_and_removed(image: Image) -> None:
    process = image.start("bin/wait")
    image.running()
    for path in Path("/proc").glob("[0-9]*/environ"):  # as Slurm kills all of a job step
        try:
            ours = f"LUMIPIPE_UNPACK={image.memory}".encode() in path.read_bytes()
        except OSError:
            continue
        if ours:
            os.kill(int(path.parent.name), signal.SIGKILL)
    process.wait()
    (left,) = image.copies()
    inode = left.stat().st_ino
    left.with_suffix(".part").mkdir()
    (image.folder / "here").unlink()
    process = image.start("bin/wait")
    image.running()
    assert left.stat().st_ino == inode
    process.terminate()
    process.wait()
    assert not left.exists()


def test_a_program_outlives_a_killed_wrapper_with_its_copy(image: Image) -> None:
    process = image.start("bin/wait")
    (program,) = image.running()
    process.kill()
    process.wait()
    assert image.start("bin/python").wait() == 0
    assert len(image.copies()) == 1  # the program lives
    os.kill(program, signal.SIGTERM)


def test_a_damaged_image_is_one_clear_error(image: Image) -> None:
    (image.folder / "made" / "image.sqsh").write_bytes(b"no image")
    process = image.start("bin/python", stderr=subprocess.PIPE)
    said = process.communicate()[1]
    assert process.returncode == 2
    assert "image.sqsh cannot be unpacked into" in said
    assert image.copies() == []


def test_a_folder_of_somebody_else_is_refused(image: Image, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (image.memory / f"lumipipe-{os.getuid()}").symlink_to(tmp_path / "theirs")
    process = image.start("bin/python", stderr=subprocess.PIPE)
    assert "belongs to somebody else" in process.communicate()[1]
    assert process.returncode == 2
