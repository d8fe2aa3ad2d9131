"""What reading a hostile file takes: seconds of a processor, and memory above that of a whole one.

``python measured.py FORMAT`` reads a whole file of the format, so that its libraries are loaded,
and then each file that is named on standard input, in a process of its own. What is measured is
thus what the file takes beside interpreter and libraries, whatever else the machine does.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, NamedTuple, Self

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from command import environment
from lumipipe.errors import InputError

MOST_S, MOST_BYTES = 1.0, 200_000_000
"""What is promised of a file that someone made to do harm, beside interpreter and libraries."""


class Taken(NamedTuple):
    """What reading took: seconds, bytes at most, and what was said: a refusal, or a defect."""

    seconds: float
    grown: int
    kind: str
    said: str


_MODULES = {"request": "lumipipe.tasks.request", "store": "lumipipe.store.dataset"}


class Meter:
    """Asks processes, one a format, which load its libraries once."""

    def __init__(self) -> None:
        self._servers: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers.values():
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.close()
            server.wait()
            server.stdout.close()

    def ask(self, form: str, file: Path, options: dict[str, Any] | None = None) -> Taken:
        """What reading a file takes."""
        if form not in self._servers:
            self._servers[form] = subprocess.Popen(
                [sys.executable, "-W", "ignore", __file__, form],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment(),
            )
            self._line(form)
        server = self._servers[form]
        assert server.stdin is not None
        server.stdin.write(json.dumps([str(file), options or {}]).encode() + b"\n")
        server.stdin.flush()
        return Taken(*json.loads(self._line(form)))

    def _line(self, form: str) -> bytes:
        stream = self._servers[form].stdout
        assert stream is not None
        line = stream.readline()
        assert line, f"no whole file of {form} could be read"
        return line


def _spent() -> tuple[float, int]:
    """Seconds of this process and its children, and the most memory of a child, in bytes."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in used), used[1].ru_maxrss << 10


def _memory(key: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith(key)).split()[1]) << 10


def _open(form: str, file: Path, options: dict[str, Any]) -> None:
    """Read a file as a request, a dataset, or an instrument's."""
    if form == "request":
        from lumipipe.tasks.request import load_request  # noqa: PLC0415

        load_request(file)
    elif form == "store":
        from lumipipe.store.dataset import open_dataset  # noqa: PLC0415

        for stream in open_dataset(file).streams.values():
            stream.read_rows(0, stream.row_count)
    else:
        from lumipipe.readers import READERS  # noqa: PLC0415

        reader = READERS[form.partition("/")[0]]
        for _ in reader.read(file, reader.Options.model_validate(options)):
            pass


def _child(form: str, file: Path, options: dict[str, Any], whole: tuple[float, int]) -> Taken:
    """What reading takes this process, less what a whole file takes where a child reads it."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
    held, (begun, _) = _memory("VmRSS"), _spent()
    kind, said = "read", ""
    try:
        _open(form, file, options)
    except InputError as error:
        kind, said = "refused", str(error)
    except BaseException:  # noqa: BLE001 (told, not hidden)
        kind, said = "defect", traceback.format_exc()[-2000:]
    seconds, child = _spent()
    own = child > 0  # it was read in a process of its own
    grown = max(_memory("VmHWM") - held, (child - whole[1]) if own else 0)
    return Taken(seconds - begun - (whole[0] if own else 0.0), grown, kind, said)


def main(form: str) -> None:
    """Answer with a line for each line."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    whole = (0.0, 0)
    if form in _MODULES:
        importlib.import_module(_MODULES[form])
    else:
        from readers.whole_files import WHOLE  # noqa: PLC0415

        with tempfile.TemporaryDirectory() as folder:
            file, way = WHOLE[form].make(Path(folder)), WHOLE[form].ways[0]
            for _ in range(2):  # the first time loads libraries
                begun = _spent()[0]
                _open(form, file, way)
                whole = (_spent()[0] - begun, _spent()[1])
    answers.write("\n")
    answers.flush()
    for line in sys.stdin:
        file, options = json.loads(line)
        reader, writer = os.pipe()
        if (child := os.fork()) == 0:
            os.write(writer, json.dumps(_child(form, Path(file), options, whole)).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            said = pipe.read().decode()
        code = os.waitpid(child, 0)[1]
        answers.write((said or json.dumps([0, 0, "crash", f"status {code}"])) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
