"""Reading in a process of its own, for libraries that a damaged file can crash or hold up.

The process has limits on time and memory; what it reads comes back as Arrow files. Which
libraries need it is the formats' matter: asammdf for `lumipipe.readers.mdf`, calamine for
`lumipipe.readers.excel`, mpyq, which unpacks without a limit, for `lumipipe.readers.sc2replay`, and
those of two activity monitors, `lumipipe.readers.cwa` and `lumipipe.readers.gt3x`.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import shown
from lumipipe.readers.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lumipipe.readers.tables import ReaderOptions

# Seconds of processor time and bytes of memory, beside what grows with the file. A whole file of
# 3 MB of bus messages takes 2 s and 30 times its size.
_SECONDS, _SECONDS_PER_BYTE = 4.0, 1 / 150_000
_BYTES, _BYTES_PER_BYTE = 160 * 2**20, 60
_WAITING = 20  # times as long: other programs use the processor, too
_ANSWER = "answer.json"
_FULL = finding("takes more memory than a file of its size should")
_CHECK = "check where it is from, or copy it again"


def isolated(file: Path, module: str, options: ReaderOptions) -> Iterator[Table]:
    """The tables that ``tables(file, options)`` of a module of readers yields, from a process.

    Parameters
    ----------
    file : Path
        The file.
    module : str
        Name of the module in `lumipipe.readers`.
    options : ReaderOptions
        Its options.

    Yields
    ------
    Table
        As the process read it, but for breaks, which these formats have none of.

    Raises
    ------
    InputError
        As the process raised it.
    RecordingError
        As the process raised it; or the process crashed, or came to a limit.
    """
    with tempfile.TemporaryDirectory(prefix="lumipipe-") as folder:
        asked = {
            "file": str(file.absolute()),
            "module": module,
            "options": options.model_dump(mode="json"),
            "folder": folder,
        }
        code = _run(file, json.dumps(asked))
        answer = Path(folder) / _ANSWER
        if code or not answer.is_file():
            raise RecordingError(
                shown(file),
                f"is damaged: its reader {_end(code)}",
                "copy the file again from its source",
            )
        said = json.loads(answer.read_text(encoding="utf-8"))
        if "error" in said:
            kind = RecordingError if said["is_recording"] else InputError
            raise kind(*said["error"])
        for number in range(said["tables"]):
            yield _load(Path(folder) / f"{number}.arrow")


def serve(asked: str) -> None:
    """Read a file and write its tables, or the error, into a folder: the process's own part.

    Parameters
    ----------
    asked : str
        JSON of file, module, options and folder.
    """
    request = json.loads(asked)
    file, folder = Path(request["file"]), Path(request["folder"])
    module = importlib.import_module(f"lumipipe.readers.{request['module']}")
    options = module.Options.model_validate(request["options"])
    try:
        module.prepare(file)
        _limit(file.stat().st_size)
        number = 0
        for number, table in enumerate(module.tables(file, options), 1):
            _save(folder / f"{number - 1}.arrow", table)
        said: dict[str, Any] = {"tables": number}
    except InputError as error:
        words = (error.place, error.problem, error.remedy)
        said = {"error": words, "is_recording": isinstance(error, RecordingError)}
    except MemoryError:
        said = {"error": (shown(file), _FULL, _CHECK), "is_recording": True}
    (folder / _ANSWER).write_text(json.dumps(said), encoding="utf-8")


def _run(file: Path, asked: str) -> int:
    """Exit status of the process; its output, such as tracebacks of a library, is dropped."""
    seconds = _WAITING * (_SECONDS + _SECONDS_PER_BYTE * file.stat().st_size)
    command = "from lumipipe.readers.isolated import serve; import sys; serve(sys.stdin.read())"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        return subprocess.run(
            [sys.executable, "-c", command],
            input=asked.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=seconds,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return -signal.SIGXCPU


def _end(code: int) -> str:
    """What became of the process, in words."""
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return finding("came to no end in time")
    if code == -signal.SIGABRT:
        return finding(
            "gave up (SIGABRT), as where it would take more memory than such a file should"
        )
    return finding(
        f"crashed ({signal.Signals(-code).name})" if code < 0 else f"failed (exit status {code})"
    )


def _limit(size: int) -> None:
    """Limit processor time and memory of this process, beside what it has used already."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime + _SECONDS + _SECONDS_PER_BYTE * size) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    held = _data_bytes()
    if held is not None:
        most = int(held + _BYTES + _BYTES_PER_BYTE * size)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _data_bytes() -> int | None:
    """Memory that counts against the limit; None where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    line = next((line for line in status.splitlines() if line.startswith("VmData:")), None)
    return None if line is None else int(line.split()[1]) * 1024


def _save(file: Path, table: Table) -> None:
    """Write a table as an Arrow file."""
    import pyarrow as pa

    columns = {
        name: pa.array(values.tolist(), pa.string()) if values.dtype == object else pa.array(values)
        for name, values in table.columns.items()
    }
    breaks = [*table.breaks.items()]
    words = json.dumps([table.name, table.attributes, breaks, table.notes, table.alias])
    content = pa.table(columns).replace_schema_metadata({"lumipipe": words})
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, content.schema) as writer:
        writer.write_table(content)


def _load(file: Path) -> Table:
    """A table from an Arrow file."""
    import pyarrow as pa

    with pa.OSFile(str(file), "rb") as source:
        content = pa.ipc.open_file(source).read_all()
    name, attributes, breaks, notes, alias = json.loads(content.schema.metadata[b"lumipipe"])
    columns = {
        key: np.array(content[key].to_pylist(), dtype=object)
        if pa.types.is_string(content[key].type)
        else content[key].to_numpy()
        for key in content.column_names
    }
    return Table(
        name, columns, attributes, None, breaks=dict(breaks), notes=tuple(notes), alias=alias
    )
