"""What the command line says of itself, and what ``info`` says of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from command import Said, call, one_line
from lumipipe import __version__
from lumipipe.tasks.stages import VERBS
from small_requests import monitoring

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = (
    *("run", "request", "plan", "info", "status", "cancel", "smoke", "bench", "rata"),
    *("inspect", "packet", "pool", "bundle", "crate", "rerun"),
    *VERBS,
)


def test_help_lists_all_commands_in_a_line_each() -> None:
    said = call("--help")
    assert (said.code, said.err) == (0, "")
    listed = [line.split()[0] for line in said.out.split("Commands:\n")[1].splitlines()]
    assert set(listed) == set(COMMANDS)
    assert call("-h") == said


@pytest.mark.parametrize(
    "words",
    [(name,) for name in COMMANDS]
    + [("request", "check"), ("request", "schema"), ("request", "quote")]
    + [("packet", name) for name in ("make", "merge", "calibrate", "inspect", "fit")]
    + [("pool", n) for n in ("init", "add", "list", "show", "verify", "withdraw", "stage")],
)
def test_each_command_explains_itself(words: tuple[str, ...]) -> None:
    said = call(*words, "--help")
    assert (said.code, said.err) == (0, "")
    text = said.out.split("\n\n")[1].strip()
    assert text.endswith(".")
    assert len(text) > 20
    # Each option has a sentence of its own.
    options = said.out.split("Options:\n")[1].splitlines()
    assert all(len(line) > 30 for line in options if line.lstrip().startswith("--"))


def test_the_version_is_told() -> None:
    assert call("--version").out == f"lumipipe, version {__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fly",), "lumipipe: no such command 'fly'"),
        (("run",), "lumipipe run: missing argument 'REQUEST'"),
        (("run", "a.yaml", "--ou", "b"), "lumipipe run: no such option"),
        (("run", "a.yaml", "--out", __file__), "lumipipe run: invalid value for '--out'"),
        (("pool", "fly"), "lumipipe pool: no such command 'fly'"),
    ],
)
def test_a_wrong_command_line_ends_with_two(words: tuple[str, ...], message: str) -> None:
    said = call(*words)
    assert said.code == 2
    assert said.err.startswith(message)
    assert said.err.endswith(f"; see {message.partition(':')[0]} --help\n")
    assert said.err.count("\n") == 1


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    request = monitoring(tmp_path_factory.mktemp("info"))
    for verb in VERBS:
        assert call(verb, request, "--out", request.parent / "out").code == 0
    return request.parent / "out"


def about(path: Path, *words: str) -> Said:
    """What ``info`` says of a path."""
    return call("info", path, *words)


def test_info_says_what_each_stage_made(out: Path) -> None:
    said = about(out)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    kinds = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert kinds == list(VERBS)
    assert "  1 recording of 1 unit" in lines
    assert "  stream plant: 60 samples of a (1), b (1), c (1), d (1), e (1)" in lines
    assert sum(line.startswith("  inconclusive: ") for line in lines) == 2
    assert all("all files are there" in line for line in lines if not line.startswith(" "))


def test_info_compares_digests_if_asked(out: Path) -> None:
    said = about(out, "--checksums")
    assert said.code == 0
    assert said.out.count("all digests agree") == 4


def test_info_names_the_damaged_file(out: Path) -> None:
    (model,) = out.glob("train/*/model.npz")
    content = model.read_bytes()
    try:
        model.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert about(out).code == 0  # the sizes are right
        line = one_line(about(out, "--checksums"))
        assert line.startswith(f"{model}: the content of this file was changed or damaged; run ")
        model.unlink()
        assert one_line(about(out)).startswith(f"{model}: this file of the product is missing")
    finally:
        model.write_bytes(content)


def test_info_on_nothing_says_so(tmp_path: Path) -> None:
    line = one_line(about(tmp_path))
    assert line == f"{tmp_path}: holds no finished stage; run a request into it first"
    line = one_line(about(tmp_path / "none.json"))
    assert line.startswith(f"{tmp_path / 'none.json'}: there is no manifest, so no finished")
