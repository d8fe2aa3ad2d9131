"""Damaged files through every reader: a table, or one line; never a traceback, a crash or a hang.

``make fuzz`` tries 10,000, ``python tests/readers/fuzz.py --again NAME:SEED`` one of them anew.
The files are those of `readers.whole_files`, and real ones where they are present; processes that
can be ended do the reading.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import os
import random
import resource
import selectors
import subprocess
import sys
import tempfile
import time
import traceback
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from conftest import REAL_DATA
from lumipipe.errors import InputError
from lumipipe.readers import READERS
from readers.mutations import mutated
from readers.whole_files import WHOLE, Whole, form_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LONGEST_S = 10.0  # of a processor, for reading a file: others may use it, too
_READS = 2  # of each case: strict and salvaging
_WAITING = 15  # times as long until a process is ended that says nothing
_MOST_REAL_BYTES = 300_000
_SHOWN_SLOW = 8
_ROOM_BYTES = 2**31  # above what a process holds when it starts
# Format, files below the folder of real data, and ways to read them.
REAL: tuple[tuple[str, str, tuple[dict[str, Any], ...]], ...] = (
    ("csv", "skab/valve2/*.csv", ({},)),
    ("csv", "scope/wfm/DS1102D-A.csv", ({},)),
    ("csv", "activity-misc/*.csv", ({}, {"header": 0})),
    ("text", "hr-rr/rest_rri.txt", ({},)),
    ("npy", "hr-rr/*.npy", ({},)),
    ("ts", "uea-ts/*.ts", ({},)),
    ("excel", "concrete/*.xls", ({},)),
    ("fit", "fit/*.[fF][iI][tT]", ({}, {"table": "rr"})),
    ("fit", "fit/damaged/*.fit", ({},)),
    ("gpx", "gpx/*.gpx", ({},)),
    ("tcx", "tcx/*.tcx", ({},)),
    ("hrm", "hr-rr/*.hrm", ({},)),
    ("rr", "hr-rr/r*.txt", ({},)),
    ("wfdb", "ecg/100.hea", ({}, {"table": "signals"})),
    ("ide", "ide/*.ide", ({},)),
    ("ide", "ide/*.IDE", ({},)),
    ("mat73", "mat73/*.mat", ({},)),
    ("hdf5", "mat73/*.mat", ({},)),
    ("mdf", "mf4/*.[mM][fF]4", ({},)),
    ("parquet", "parquet/**/*.parquet", ({},)),
    ("scope", "scope/*/*.wfm", ({}, {"model": "D"})),
    ("scope", "scope/*/*.bin", ({},)),
    ("scope", "scope/trc/*", ({},)),
    ("tdms", "tdms/*.tdms", ({},)),
    ("uff", "uff/*.uff", ({},)),
)
_COSTS = {form_of(name): whole.cost for name, whole in WHOLE.items()}


class Case(NamedTuple):
    """A change of a file: its entry or its path below the real data, and the draw."""

    name: str
    seed: int


class Outcome(NamedTuple):
    """What became of a case: read, refused, or a defect in words; and how long it took."""

    case: Case
    what: str
    seconds: float
    said: str = ""


def _copied(real: Path) -> Callable[[Path], Path]:
    """A maker of a copy of a real file and of what lies beside it under its name."""

    def make(folder: Path) -> Path:
        for part in real.parent.glob(f"{real.stem}.*"):
            (folder / part.name).write_bytes(part.read_bytes())
        return folder / real.name

    return make


def entries() -> dict[str, Whole]:
    """All files that are changed, by name; real ones are called ``format=path``."""
    found = dict(WHOLE)
    for form, pattern, ways in REAL:
        for path in sorted(REAL_DATA.glob(pattern)) if REAL_DATA.is_dir() else ():
            if path.is_file() and path.stat().st_size <= _MOST_REAL_BYTES:
                also = (".dat", ".atr") if form == "wfdb" else ()
                name = f"{form}={path.relative_to(REAL_DATA)}"
                found[name] = Whole(_copied(path), None, ways, also, _COSTS[form])
    return found


def format_of(name: str) -> str:
    """The format of an entry."""
    return form_of(name.partition("=")[0])


def cases(count: int, first_seed: int = 0, forms: Iterable[str] = ()) -> list[Case]:
    """So many cases, dealt to the formats by cost, and within a format to its files in turn."""
    known = entries()
    by_form: dict[str, list[str]] = {}
    for name in known:
        if not forms or format_of(name) in forms:
            by_form.setdefault(format_of(name), []).append(name)
    shares = {form: 1.0 / known[names[0]].cost ** 0.5 for form, names in by_form.items()}
    total = sum(shares.values())
    dealt = []
    for form, names in by_form.items():
        number = math.ceil(count * shares[form] / total)
        dealt += [Case(names[at % len(names)], first_seed + at) for at in range(number)]
    return dealt


def read_changed(case: Case) -> list[str]:
    """What the reader makes of a changed file in each way: a line, or "" where it reads it.

    Raises
    ------
    Exception
        Whatever a reader lets through, or an assertion about what it gave.
    """
    whole = entries()[case.name]
    draw = random.Random(f"{case.name} {case.seed}")
    reader = READERS[format_of(case.name)]
    with tempfile.TemporaryDirectory() as folder:
        file = whole.make(Path(folder))
        target = file.with_suffix(draw.choice((file.suffix, *whole.also)))
        content = target.read_bytes()
        if target == file and not whole.also and draw.random() < 0.08:
            file = file.with_name(f"{file.name}.gz")
            file.write_bytes(mutated(gzip.compress(content, 1), draw))
        else:
            target.write_bytes(mutated(content, draw))
        way = draw.choice(whole.ways)
        return [_said(reader, file, {**way, "salvage": salvage}) for salvage in (False, True)]


def _said(reader: Any, file: Path, way: dict[str, Any]) -> str:
    """The line of a refusal; "" after what was read was looked through."""
    try:
        tables = list(reader.read(file, reader.Options.model_validate(way)))
    except InputError as error:
        line = str(error)
        assert "\n" not in line
        assert str(file.parent) not in line, "a path of this machine is in the message"
        line.encode()
        return line
    for table in tables:
        lengths = {len(column) for column in table.columns.values()}
        assert len(lengths) == 1, f"columns of {lengths} rows"
        assert all(0 < row < max(lengths) for row in table.breaks)
        assert all(isinstance(column, np.ndarray) for column in table.columns.values())
        json.dumps([table.name, table.attributes, table.notes]).encode()
    return ""


def serve() -> None:
    """Read the cases that come in, one a line, and write what became of each."""
    held = _data_bytes()
    resource.setrlimit(resource.RLIMIT_DATA, (held + _ROOM_BYTES, held + _ROOM_BYTES))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what libraries print
    for line in sys.stdin:
        case = Case(*json.loads(line))
        begun = spent_s()
        try:
            said = read_changed(case)
            what = "refused" if all(said) else "read"
            words = " | ".join(said)
        except BaseException:  # noqa: BLE001 (told, not hidden: it is what is looked for)
            what, words = "traceback", _short(traceback.format_exc())
        answers.write(json.dumps([what, (spent_s() - begun) / _READS, words]) + "\n")
        answers.flush()


def spent_s() -> float:
    """Seconds of a processor that this process and those that it waited for have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in used)


def _short(text: str) -> str:
    """The last place in lumipipe of a traceback, and its end."""
    lines = text.strip().split("\n")
    ours = [at for at, line in enumerate(lines) if "/lumipipe/" in line]
    return "\n".join([*lines[ours[-1] : ours[-1] + 2], *lines[-1:]] if ours else lines[-6:])


def _data_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return (
        int(next(line for line in status.splitlines() if line.startswith("VmData")).split()[1])
        << 10
    )


class _Worker:
    """A process that reads; a new one is started where it ends."""

    def __init__(self) -> None:
        self.case: Case | None = None
        self._start()

    def _start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", __file__, "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def _close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()

    def give(self, case: Case) -> None:
        """Let it read a case."""
        self.case, self.begun = case, time.monotonic()
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(case).encode() + b"\n")
        self.process.stdin.flush()

    def overdue(self) -> bool:
        """Whether it is at a case for too long."""
        return self.case is not None and time.monotonic() - self.begun > _WAITING * LONGEST_S

    def answer(self) -> Outcome:
        """What became of its case, after its answer came or it ended."""
        assert self.case is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        case, self.case = self.case, None
        if not line:
            code = self.process.wait()
            self._close()
            self._start()
            return Outcome(case, f"crash ({code})", time.monotonic() - self.begun)
        what, seconds, said = json.loads(line)
        return Outcome(case, "hang" if seconds > LONGEST_S else what, seconds, said)

    def end(self, *, again: bool) -> Outcome | None:
        """Kill it; the case that it was at is a hang."""
        self.process.kill()
        self.process.wait()
        self._close()
        case, self.case = self.case, None
        if again:
            self._start()
        return None if case is None else Outcome(case, "hang", time.monotonic() - self.begun)


def outcomes(wanted: list[Case], workers: int = 1) -> Iterator[Outcome]:
    """What became of all cases, as they come; heavy formats are mixed with light ones."""
    left = deque(random.Random(1).sample(wanted, len(wanted)))
    crew = [_Worker() for _ in range(min(workers, len(wanted)))]
    try:
        while left or any(worker.case is not None for worker in crew):
            for worker in crew:
                if worker.case is None and left:
                    worker.give(left.popleft())
            yield from _answers([worker for worker in crew if worker.case is not None])
    finally:
        for worker in crew:
            worker.end(again=False)


def _answers(busy: list[_Worker]) -> Iterator[Outcome]:
    """What became of the cases of some workers, of those that answer, end or are overdue."""
    by_stream = {worker.process.stdout: worker for worker in busy}
    with selectors.DefaultSelector() as ready:
        for stream in by_stream:
            ready.register(stream, selectors.EVENT_READ)
        answered = [by_stream[key.fileobj] for key, _ in ready.select(timeout=1.0)]
    for worker in busy:
        if worker in answered:
            yield worker.answer()
        elif worker.overdue() and (hang := worker.end(again=True)) is not None:
            yield hang


def table(found: list[Outcome]) -> str:
    """A line a format: tried, read, refused, defects, slowest."""
    rows = [f"{'format':10}{'tried':>8}{'read':>8}{'refused':>9}{'defects':>9}{'slowest':>10}"]
    by_form: dict[str, list[Outcome]] = {}
    for outcome in sorted(found):
        by_form.setdefault(format_of(outcome.case.name), []).append(outcome)
    by_form["all"] = found
    for form, some in by_form.items():
        count = {what: sum(item.what == what for item in some) for what in ("read", "refused")}
        odd = len(some) - sum(count.values())
        slowest = max(item.seconds for item in some)
        rows.append(
            f"{form:10}{len(some):8}{count['read']:8}{count['refused']:9}{odd:9}{slowest:9.2f}s"
        )
    return "\n".join(rows)


def defects(found: Iterable[Outcome]) -> list[Outcome]:
    """Those that are neither read nor refused."""
    return [item for item in found if item.what not in {"read", "refused"}]


def main() -> int:
    """Run so many cases and print the table; 1 where there is a defect."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="first draw of each format")
    parser.add_argument("--format", action="append", default=[])
    parser.add_argument("--serve", action="store_true", help="read cases from standard input")
    parser.add_argument("--again", help="NAME:SEED of one case")
    asked = parser.parse_args()
    if asked.serve:
        serve()
        return 0
    if asked.again:
        name, _, seed = asked.again.rpartition(":")
        print("\n".join(read_changed(Case(name, int(seed)))))
        return 0
    found = []
    for outcome in outcomes(cases(asked.count, asked.seed, asked.format), asked.workers):
        found.append(outcome)
        if defects([outcome]):
            print(
                f"{outcome.case.name}:{outcome.case.seed}: {outcome.what}\n{outcome.said}",
                flush=True,
            )
    print(table(found))
    for slow in sorted(found, key=lambda item: -item.seconds)[:_SHOWN_SLOW]:
        print(f"slow: {slow.seconds:.2f} s {slow.case.name}:{slow.case.seed}: {slow.said[:200]}")
    return 1 if defects(found) else 0


if __name__ == "__main__":
    sys.exit(main())
