"""What a pass does where memory is short, and how much of it is used where it is not."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import pytest

from lumipipe.backend import Backend, choose_backend
from lumipipe.comm import SerialComm
from lumipipe.errors import InputError
from lumipipe.tasks import folding
from lumipipe.tasks.plan import plan_run
from lumipipe.tasks.prepare import prepare
from lumipipe.tasks.request import load_request
from lumipipe.tasks.score import RESULT, score
from lumipipe.tasks.train import train
from lumipipe.timing import Timer
from small_requests import ALL_FEATURES, FAMILIES
from store.fakes import FakeRecording, FakeStream, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from lumipipe.families.interface import Block, Pass
    from lumipipe.fold import Batch, Leaf


def products(request: Path, name: str, log: list[str]) -> dict[str, bytes]:
    """Answer and model of a run, as bytes; the answer without how it was run."""
    loaded, comm, backend = load_request(request), SerialComm(), choose_backend("numpy")
    stages = plan_run(loaded, request.parent / name, lambda _: None)
    prepare(loaded.request, loaded.base, stages["prepare"], comm, lambda _: None)
    train(loaded, stages, comm, backend, log.append)
    score(loaded, stages, comm, backend, log.append)
    found = {"result": (stages["score"].manifest.with_suffix("") / RESULT).read_bytes()}
    for verb in ("train", "score"):
        folder = stages[verb].manifest.with_suffix("")
        found |= {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.*")}
    return found


@contextmanager
def memory_for(windows: int) -> Iterator[None]:
    """Within the block, more windows than this at a time do not fit."""

    def measure(self: Pass) -> Callable[[Block], Mapping[Leaf, Batch]]:
        plain = self.__dict__["measure"]

        def limited(block: Block) -> Mapping[Leaf, Batch]:
            if len(block.starts) > windows:
                raise MemoryError
            found: Mapping[Leaf, Batch] = plain(block)
            return found

        return limited

    made = folding._Source

    def limited_source(data: Pass, *rest: Any) -> Any:
        return made(replace(data, measure=measure(data)), *rest)

    with patch.object(folding, "_Source", limited_source):
        yield


CASES: dict[str, tuple[str, dict[str, Any], int]] = {
    "activity": ("activity", {"hop_s": 0.1, "windows_per_chunk": 256}, 8),
    "all features": (
        "activity",
        {"hop_s": 0.05, "windows_per_chunk": 512, "features": ALL_FEATURES},
        folding._TILE,
    ),
    "ambient": ("ambient", {"windows_per_chunk": 64}, 8),
    "bearing": ("bearing", {"segment_s": 0.5, "hop_s": 0.05, "windows_per_chunk": 64}, 8),
    "carbon": ("carbon", {"rows_per_chunk": 64}, 8),
    "emission": ("emission", {"windows_per_chunk": 64}, 8),
    "monitoring": ("monitoring", {"rows_per_chunk": 64}, 8),
    "recipe": ("recipe", {"windows_per_chunk": 88}, 24),
    "soft_sensor": ("soft_sensor", {"windows_per_chunk": 64}, 8),
}
"""Family, settings that make large chunks, and windows that are always measured together."""


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("tiles", [2, 3])
def test_the_same_bytes_where_memory_is_short(tmp_path: Path, case: str, tiles: int) -> None:
    family, settings, tile = CASES[case]
    request, log = FAMILIES[family](tmp_path, train=settings), list[str]()
    plain = products(request, "plain", log)
    assert not any("memory is short" in line for line in log)
    with memory_for(tiles * tile - 1), patch.object(folding, "_TILE", tile):
        short = products(request, "short", log)
    assert any("memory is short" in line for line in log)
    for name, content in plain.items():
        assert short[name] == content, name
    assert set(short) == set(plain)


def in_turn(items: Any, read: Any, depth: int) -> Iterator[Any]:
    """Each item with what `read` makes of it, read when it is asked for."""
    del depth
    return ((item, read(item)) for item in items)


@pytest.mark.slow
def test_the_same_bytes_with_and_without_overlap_and_for_any_budget(tmp_path: Path) -> None:
    request = FAMILIES["activity"](tmp_path, train={"windows_per_chunk": 64})
    plain = products(request, "plain", [])
    with patch.object(folding, "read_ahead", in_turn):
        assert products(request, "in_turn", []) == plain
    text = request.read_text()
    for budget in (2**16, 2**30):
        assert "compute:\n" in text
        request.write_text(text.replace("compute:\n", f"compute:\n  batch_bytes: {budget}\n"))
        assert products(request, f"budget{budget}", []) == plain


@pytest.mark.slow
@pytest.mark.parametrize("room", [1, 2**16, 2**40])
def test_the_same_bytes_whatever_a_device_has_free(tmp_path: Path, room: int) -> None:
    request, seen = FAMILIES["activity"](tmp_path, train={"windows_per_chunk": 256}), list[int]()
    plain = products(request, "plain", [])
    parts = folding._Source._part_windows

    def part_windows(self: Any, block: Block) -> int:
        seen.append(parts(self, block))
        return seen[-1]

    with (
        patch.object(Backend, "room", lambda _: room),
        patch.object(folding._Source, "_part_windows", part_windows),
    ):
        assert products(request, "short", []) == plain
    assert (max(seen) == folding._TILE) == (room < 2**40)


def test_an_update_without_memory_is_tried_once_more_and_then_one_line() -> None:
    calls: list[str] = []

    class Hungry:
        def update(self, state: Any, batch: Any) -> Any:
            del batch
            calls.append("update")
            if len(calls) <= len(state):
                raise MemoryError
            return state

    timed = folding._Timed(Hungry(), Timer(), choose_backend("numpy"))  # type: ignore[arg-type]
    rows = {"x": np.zeros((5, 1))}
    assert timed.update({"a": 1}, rows) == {"a": 1}
    calls.clear()
    with pytest.raises(InputError, match=r"chunk of 5 rows .* needs more memory than there is"):
        timed.update({"a": 1, "b": 2}, rows)


def test_no_room_for_one_window_is_one_line(tmp_path: Path) -> None:
    request = FAMILIES["activity"](tmp_path, train={"windows_per_chunk": 256})
    with memory_for(7), pytest.raises(InputError, match="needs more memory than there is"):
        products(request, "short", [])


PEAK = """
import sys
from pathlib import Path

from lumipipe.backend import Backend, choose_backend
from lumipipe.comm import SerialComm
from lumipipe.families.interface import Pass
from lumipipe.models.pca import PairReducer
from lumipipe.store.dataset import open_dataset
from lumipipe.tasks.folding import run_pass
from lumipipe.timing import Timer
from lumipipe.windows import plan_windows
from lumipipe.partition import Span

stream, budget = open_dataset(Path(sys.argv[1])).streams["main"], int(sys.argv[2])
backend, rows = choose_backend("numpy"), stream.chunk_rows


def resident(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))


def peak(stop):
    plan = plan_windows(["u"], [[Span(0, stop)]], rows, rows, 1)
    reducer = PairReducer(backend.xp, len(stream.channels))
    data = Pass(stream, plan, reducer, lambda block: {(): {"x": block.rows}})
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is now what is resident
    run_pass(data, backend, SerialComm(), None, budget, Timer(), lambda _: None)
    return resident("VmHWM") - before


peak(rows)  # libraries load what they need
chunk = 4 * rows * len(stream.channels)
print(peak(rows), peak(stream.row_count), chunk)
"""


@pytest.mark.slow
@pytest.mark.parametrize("chunk_bytes", [2**19, 2**21])
def test_a_store_ten_times_the_budget_is_read_within_it(tmp_path: Path, chunk_bytes: int) -> None:
    rng, budget = np.random.default_rng(0), 16 * 2**20
    x = rng.standard_normal((10 * budget // (4 * 64), 64), dtype=np.float32)
    settings = {"chunk_bytes": chunk_bytes, "shard_bytes": 2**23}
    manifest = publish(tmp_path, [FakeRecording("r", {"main": FakeStream(x)})], **settings)
    del x
    done = subprocess.run(
        [sys.executable, "-c", PEAK, manifest, str(budget)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"MALLOC_TRIM_THRESHOLD_": "0", "MALLOC_MMAP_THRESHOLD_": "65536"},
    )
    computing, peak, chunk = map(int, done.stdout.split())
    assert chunk == chunk_bytes
    # What is computed from one chunk is no part of the budget of samples, the chunk itself is.
    # Below half of it, nothing would have been read ahead.
    assert budget / 2 < peak - (computing - chunk) < 1.1 * budget
