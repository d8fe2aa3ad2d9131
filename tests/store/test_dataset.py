from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import xarray
import zarr

from lumipipe.errors import StoreError
from lumipipe.store.dataset import NO_LABEL, NO_TIME, open_dataset
from lumipipe.store.manifest import publishing
from lumipipe.store.rows import ChannelRow
from lumipipe.store.writer import write_shard
from store import fakes
from store.fakes import FakeRecording, FakeStream

if TYPE_CHECKING:
    from pathlib import Path

SMALL = {"chunk_bytes": 1024, "shard_bytes": 4096}
CHUNK = 128  # rows of two float32 channels in 1024 bytes


def noise(rows: int, columns: int = 2, dtype: type = np.float32) -> np.ndarray:
    return np.random.default_rng(rows).normal(size=(rows, columns)).astype(dtype)


def sizes() -> list[int]:
    return [1, CHUNK - 1, CHUNK, CHUNK + 1, round(7.3 * CHUNK)]


def test_rows_of_any_number_come_back_exactly(publish):
    recordings = [FakeRecording(f"r{n}", {"main": FakeStream(noise(n))}) for n in sizes()]
    dataset = open_dataset(publish(recordings, **SMALL), checksums=True)
    stream = dataset.streams["main"]
    assert stream.chunk_rows == CHUNK
    assert [row.id for row in dataset.recordings] == sorted(f"r{n}" for n in sizes())
    for row, first, rows in zip(dataset.recordings, stream.first_row, stream.rows, strict=True):
        found = stream.read_rows(int(first), int(first + rows))
        assert found.dtype == stream.dtype == np.float32
        np.testing.assert_array_equal(found, noise(int(row.id[1:])))


def test_any_span_equals_what_zarr_reads(publish):
    values = noise(3000)
    manifest = publish([FakeRecording("r", {"main": FakeStream(values)})], **SMALL)
    stream = open_dataset(manifest).streams["main"]
    array = zarr.open_array(manifest.with_name("key.zarr") / "streams/main/value", mode="r")
    rng = np.random.default_rng(1)
    spans = [sorted(rng.integers(0, 3001, size=2)) for _ in range(100)]
    for first, stop in [(0, 3000), (0, 0), (3000, 3000), (127, 129), *spans]:
        found = stream.read_rows(first, stop)
        np.testing.assert_array_equal(found, values[first:stop])
        np.testing.assert_array_equal(found, array[first:stop])
    for first, stop in [(-1, 2), (0, 3001), (5, 4)]:
        with pytest.raises(IndexError, match="rows"):
            stream.read_rows(first, stop)


def test_xarray_opens_the_groups_as_they_are_documented(publish):
    labels = {"state": np.asarray(["on", "off", "on", "off", "on"])}
    stream = FakeStream(noise(5), time_ns=np.arange(5), gaps=(2,), labels=labels)
    store = publish([FakeRecording("r", {"main": stream})]).with_name("key.zarr")
    found = xarray.open_zarr(store, group="streams/main", consolidated=False, chunks=None)
    assert found["row_size"].attrs["sample_dimension"] == "sample"
    assert found["value"].dims == ("sample", "channel")
    assert found["channel"].values.tolist() == ["c0", "c1"]
    assert found["label_state"].attrs["flag_meanings"] == "off on"
    assert found["segment_first"].values.tolist() == [0, 2]
    table = xarray.open_zarr(store, group="recordings", consolidated=False, chunks=None)
    assert table["id"].values.tolist() == ["r"]


def test_the_tables_come_back(publish):
    regular = FakeStream(noise(4), start_ns=10**18, rate_hz=50.0, rate_u_hz=0.5, gaps=(3,))
    other = FakeStream(noise(2, 1, np.float64), start_ns=None, rate_hz=np.nan, nominal_hz=np.nan)
    one = FakeRecording(
        "b", {"main": regular}, attributes={"k": "v"}, labels={"x": "y z"}, notes=("n", "ö")
    )
    dataset = open_dataset(publish([one, FakeRecording("a", {"main": regular, "slow": other})]))
    a, b = dataset.recordings
    assert (b.id, b.unit, b.source, b.file) == ("b", "pump", "log", "log.csv")
    assert (b.attributes, b.labels, b.notes) == ({"k": "v"}, {"x": "y z"}, ("n", "ö"))
    main, slow = dataset.streams["main"], dataset.streams["slow"]
    assert main.rows.tolist() == [4, 4]
    assert slow.rows.tolist() == [2, 0]
    assert main.rate_u_hz.tolist() == [0.5, 0.5]
    assert np.isnan(slow.rate_hz).all()
    assert slow.start_ns.tolist() == [NO_TIME, NO_TIME]
    assert slow.dtype == np.float64
    assert main.segments == (((0, 3), (3, 4)), ((4, 7), (7, 8)))
    assert slow.segments == (((0, 2),), ())
    assert a.id == "a"


def test_regular_times_are_exact_and_order_has_none(publish):
    # 1 ns, 1 ms and 6 h steps, before 1970 as well.
    rates = {"ns": 1e9, "ms": 1e3, "h6": 1 / 21600}
    steps = {"ns": 1, "ms": 10**6, "h6": 21600 * 10**9}
    recordings = [
        FakeRecording(name, {"main": FakeStream(noise(7), start_ns=-(10**17), rate_hz=rate)})
        for name, rate in rates.items()
    ]
    recordings.append(FakeRecording("z", {"main": FakeStream(noise(3), rate_hz=np.nan)}))
    dataset = open_dataset(publish(recordings))
    stream = dataset.streams["main"]
    assert not stream.has_time
    times = stream.read_time(0, stream.row_count)
    for row, first, rows in zip(dataset.recordings, stream.first_row, stream.rows, strict=True):
        part = times[first : first + rows]
        if row.id == "z":
            assert (part == NO_TIME).all()
        else:
            assert part.tolist() == [-(10**17) + k * steps[row.id] for k in range(7)]
    np.testing.assert_array_equal(stream.read_time(5, 9), times[5:9])


def test_stamps_of_irregular_rows_stay_as_they_are(publish):
    stamps = np.asarray([-5, 0, 1, 86_400 * 400 * 10**9])
    irregular = FakeStream(noise(4), time_ns=stamps, rate_hz=np.nan)
    regular = FakeStream(noise(2), start_ns=7, rate_hz=1e9)
    recordings = [
        FakeRecording("a", {"main": irregular}),
        FakeRecording("b", {"main": regular}),
    ]
    stream = open_dataset(publish(recordings)).streams["main"]
    assert stream.has_time
    assert stream.read_time(0, 6).tolist() == [*stamps.tolist(), 7, 8]


def test_labels_of_samples_keep_their_names(publish):
    names = np.asarray(["walk", "", "lie down", "ä", "walk"])
    with_labels = FakeStream(noise(5), labels={"activity": names})
    recordings = [
        FakeRecording("a", {"main": with_labels}),
        FakeRecording("b", {"main": FakeStream(noise(2))}),
    ]
    stream = open_dataset(publish(recordings)).streams["main"]
    assert stream.label_names == {"activity": ("lie down", "walk", "ä")}
    codes = stream.read_labels("activity", 0, 7)
    assert codes.dtype == np.int16
    assert codes.tolist() == [1, NO_LABEL, 0, 2, 1, NO_LABEL, NO_LABEL]


def test_float32_with_a_range_keeps_a_small_spread_on_a_large_level(publish):
    # NIST StRD, NumAcc4: mean 10000000.2, standard deviation exactly 0.1.
    series = np.tile([10000000.1, 10000000.3], 500)
    values = np.concatenate([[10000000.2], series]).reshape(-1, 1)
    channels = {"main": (ChannelRow("c0", "count", "1", (9999999.0, 10000001.0)),)}
    manifest = publish(
        [FakeRecording("r", {"main": FakeStream(values)})], channels, dtype="float32"
    )
    stream = open_dataset(manifest).streams["main"]
    assert stream.dtype == np.float64
    stored = zarr.open_array(manifest.with_name("key.zarr") / "streams/main/value", mode="r")
    assert stored.dtype == np.float32
    found = stream.read_rows(0, 1001)[:, 0]
    # A float32 near 0.1 is exact to 2**-25 of it; the sum of that and 1e7 to 1e-9.
    assert abs(np.std(found, ddof=1) / 0.1 - 1) < 1e-6
    assert abs(found.mean() - 10000000.2) < 1e-8


def test_float32_that_needs_no_offset_has_none(publish):
    channels = {"main": (ChannelRow("c0", "count", "1", (0.0, 10.0)),)}
    recordings = [FakeRecording("r", {"main": FakeStream(noise(5, 1))})]
    stream = open_dataset(publish(recordings, channels, dtype="float32")).streams["main"]
    assert stream.dtype == np.float32


def test_files_on_disk_are_as_many_as_planned(publish):
    labels = {"state": np.asarray(["on"] * 9)}
    recordings = [
        FakeRecording(
            f"r{number}",
            {
                "imu": FakeStream(noise(9, 12), labels=labels),
                "slow": FakeStream(noise(3, 1), time_ns=np.arange(3)),
            },
        )
        for number in range(2000)
    ]
    manifest = publish(recordings, chunk_bytes=4096, shard_bytes=16384)
    found = open_dataset(manifest).manifest
    real = [path for path in found.product.rglob("*") if path.is_file()]
    assert len(found.files) == len(real) == found.record["files_planned"]
    assert len(real) > 100  # there are shards among them


def test_text_of_any_kind_comes_back(publish):
    ids = ["ä", "a\u0308", "ß", "\U0001f3bf", "n" * 300, "", "nul\0", "bb", "Äyskäri-pumppu"]
    recordings = [FakeRecording(name, {"main": FakeStream(noise(1))}, unit=name) for name in ids]
    found = open_dataset(publish(recordings), checksums=True)
    assert [row.id for row in found.recordings] == sorted(ids)
    assert [row.unit for row in found.recordings] == sorted(ids)


def test_honest_zeros_and_nan_are_data(publish):
    values = np.zeros((3000, 2), dtype=np.float32)
    values[2000:] = np.nan
    stream = open_dataset(publish([FakeRecording("r", {"main": FakeStream(values)})], **SMALL))
    np.testing.assert_array_equal(stream.streams["main"].read_rows(0, 3000), values)


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    """The manifest of a dataset that no test may touch."""
    labels = {"state": np.asarray(["on", "off"] * 1500)}
    stream = FakeStream(noise(3000), labels=labels)
    folder = tmp_path_factory.mktemp("sound")
    return fakes.publish(folder, [FakeRecording("r", {"main": stream})], **SMALL)


@pytest.fixture
def damaged(sound, tmp_path) -> tuple[Path, Path]:
    """The manifest of a copy, and one shard file of its dataset."""
    shutil.copytree(sound.parent, tmp_path / "prepare")
    manifest = tmp_path / "prepare" / "key.json"
    return manifest, manifest.with_name("key.zarr") / "streams/main/value/c.2.0"


def test_a_missing_shard_is_refused_at_the_door(damaged):
    manifest, shard = damaged
    shard.unlink()
    with pytest.raises(StoreError, match=r"streams/main/value/c.2.0.*missing"):
        open_dataset(manifest, patience_s=0)


def test_a_shard_cut_short_is_refused_at_the_door(damaged):
    manifest, shard = damaged
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(StoreError, match=r"streams/main/value/c.2.0.*bytes"):
        open_dataset(manifest, patience_s=0)


@pytest.mark.parametrize("cut", [0, 10, 2000])
def test_a_shard_that_goes_away_later_is_an_error_not_nan(damaged, cut):
    manifest, shard = damaged
    stream = open_dataset(manifest).streams["main"]
    content = shard.read_bytes()
    shard.write_bytes(content[:cut])
    if cut == 0:
        shard.unlink()
    with pytest.raises(StoreError, match=r"array streams/main/value.*c.2.0"):
        stream.read_rows(0, 3000)
    np.testing.assert_array_equal(stream.read_rows(0, 2 * 4 * CHUNK), noise(3000)[: 8 * CHUNK])


@pytest.mark.parametrize("position", [3, 500, -2, -30])
def test_a_flipped_byte_is_found_when_it_is_read(damaged, position):
    manifest, shard = damaged
    content = bytearray(shard.read_bytes())
    content[position] ^= 0x10
    shard.write_bytes(content)
    with pytest.raises(StoreError, match=r"array streams/main/value.*c.2.0.*check sum"):
        open_dataset(manifest).streams["main"].read_rows(0, 3000)
    with pytest.raises(StoreError, match=r"c.2.0.*changed or damaged"):
        open_dataset(manifest, checksums=True)


@pytest.mark.parametrize("table", ["streams/main/row_size", "recordings/id"])
def test_a_damaged_table_is_named(damaged, table):
    manifest, _ = damaged
    file = manifest.with_name("key.zarr") / table / ("c.0")
    content = bytearray(file.read_bytes())
    content[-5] ^= 0x01
    file.write_bytes(content)
    with pytest.raises(StoreError, match=rf"array {table}.*cannot be read"):
        open_dataset(manifest)


def test_metadata_that_were_changed_are_refused(damaged):
    manifest, _ = damaged
    file = manifest.with_name("key.zarr") / "streams/main/value/zarr.json"
    file.write_text(file.read_text().replace("3000", "2999"))
    with pytest.raises(StoreError, match=r"value/zarr.json.*not what was published"):
        open_dataset(manifest)


def test_stale_consolidated_metadata_are_refused(damaged):
    manifest, _ = damaged
    with pytest.warns(UserWarning, match="onsolidated metadata"):
        zarr.consolidate_metadata(manifest.with_name("key.zarr"))
    with pytest.raises(StoreError, match=r"key.zarr/zarr.json.*bytes"):
        open_dataset(manifest, patience_s=0)


def test_a_chunk_that_was_never_written_is_an_error(damaged, tmp_path):
    manifest, _ = damaged
    store = tmp_path / "copy"
    shutil.copytree(manifest.with_name("key.zarr"), store)
    # Zarr leaves a chunk out where it holds the fill value.
    array = zarr.open_array(store / "streams/main/value", mode="r+")
    block = noise(3000)[1024:1536]
    block[CHUNK : 2 * CHUNK] = np.nan
    array[1024:1536] = block
    record = open_dataset(manifest).manifest.record
    other = tmp_path / "other" / "key.json"
    with publishing(other, tmp_path / "other" / "key.zarr", record) as staging:
        shutil.copytree(store, staging, dirs_exist_ok=True)
    with pytest.raises(StoreError, match=r"c.2.0: chunk 9 is missing"):
        open_dataset(other).streams["main"].read_rows(0, 3000)


def test_only_whole_shards_are_written(damaged):
    manifest, _ = damaged
    store = manifest.with_name("key.zarr")
    for first, rows in [(CHUNK, 4 * CHUNK), (0, CHUNK), (0, 8 * CHUNK), (2560, 439)]:
        with pytest.raises(StoreError, match="no whole shard of 512 rows"):
            write_shard(store, "main", first, {"value": noise(rows)})
    write_shard(store, "main", 2560, {"value": noise(440)})


def test_shards_are_the_bytes_that_zarr_writes(publish):
    values = noise(2048)
    labels = {"state": np.asarray(["on", "off"] * 1024)}
    stream = FakeStream(values, labels=labels, time_ns=np.arange(2048) ** 2)
    store = publish([FakeRecording("r", {"main": stream})], **SMALL).with_name("key.zarr")
    for name, kind in [("value", "c.1.0"), ("time_ns", "c.1"), ("label_state", "c.1")]:
        file = store / "streams/main" / name / kind
        ours = file.read_bytes()
        file.unlink()
        array = zarr.open_array(store / "streams/main" / name, mode="r+")
        rows = {"value": values, "time_ns": stream.time_ns}.get(name, np.tile([1, 0], 1024))
        array[512:1024] = rows[512:1024].astype(array.dtype)
        assert file.read_bytes() == ours


@pytest.mark.slow
def test_the_peak_of_one_shard_stays_below_three_times_its_bytes(tmp_path):
    # In a fresh process, so that what other tests left is not counted.
    code = """
import resource, sys
from pathlib import Path
import numpy as np
from lumipipe.store.layout import plan_stream
from lumipipe.store.rows import ChannelRow, RecordingRow
from lumipipe.store.writer import StreamTemplate, write_shard, write_template
rows = 2**22
one = np.ones(1)
whole = np.asarray([[0, rows, 0]])
plan = plan_stream(rows, 4, 4, 2**22, 2**26)
table = (ChannelRow("c", "count", "1"),) * 4
template = StreamTemplate("main", table, "float32", np.zeros(4), plan, np.asarray([rows]),
    np.asarray([0]), one, one, one, whole, {})
write_template(Path(sys.argv[1]), [RecordingRow("r", "u", "s", "f", "", {}, {})], [template])
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
block = np.random.default_rng(1).integers(0, 2**31, (rows, 4), dtype=np.int32).view(np.float32)
before = peak() - block.nbytes
assert plan.shards == 1 and block.nbytes == 2**26
write_shard(Path(sys.argv[1]), "main", 0, {"value": block})
print((peak() - before) / block.nbytes)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "s.zarr")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert 1 <= float(done.stdout) < 1.5
