"""A request for published data is quoted from a part of its dataset."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from command import call
from lumipipe.pool.card import read_card
from lumipipe.store.dataset import open_dataset
from lumipipe.tasks.quoting.rawsample import raw_files, sample_of
from lumipipe.tasks.quoting.sampling import Bounds, take_sample
from lumipipe.tasks.quoting.storesample import published_sample
from lumipipe.tasks.request import load_request
from small_requests import DROP, activity, change
from tasks.bundles import finished

pytestmark = pytest.mark.slow

POOLED = {"policy": "club", "actor": "club", "purpose": "ServiceProvision", "pool": "pool"}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A request for a published dataset of sixteen recordings, whose raw files are gone."""
    assert call("pool", "init", tmp_path / "pool").code == 0
    rights = POOLED | {"publication": {"data": "company_only"}}
    request = activity(tmp_path, rights=rights)
    finished(request, tmp_path / "raw out")
    assert call("pool", "add", tmp_path / "pool", tmp_path / "raw out", "--id", "x").code == 0
    shutil.rmtree(tmp_path / "raw")
    source = {"source": "pool/datasets/x/1/card.json", "format": "lumipipe", "read": DROP}
    return change(request, data={0: source})


def test_a_published_dataset_is_sampled_by_its_manifest(published: Path) -> None:
    """Its bytes are those of its card; a sample is a dataset with some of the recordings."""
    loaded = load_request(published)
    card = read_card(published.parent / "pool/datasets/x/1/card.json")
    files = raw_files(loaded)
    assert [[file.size for file in source] for source in files] == [[card.size]]
    runs = (published.parent / "pool" / "runs.json").read_text(encoding="utf-8")
    bounds = Bounds(first_bytes=card.size // 4, most_bytes=card.size, most_s=0.0)
    lines: list[str] = []
    sample = take_sample(loaded, "numpy", bounds, lines.append)
    assert sample.raw_bytes == card.size
    first = sample.rounds[0]
    assert 0 < first.raw_bytes < card.size
    assert first.stages["train"].passes["windows"].chunks > 0
    (rows,) = (stream.rows for stream in card.streams.values())
    assert 0 < first.streams["main"].rows < rows
    # A sample is no run of the pool.
    assert (published.parent / "pool" / "runs.json").read_text(encoding="utf-8") == runs


def test_a_part_of_a_store_has_the_rows_of_the_store(published: Path, tmp_path: Path) -> None:
    loaded = load_request(published)
    folder = published.parent / "pool/datasets/x/1"
    whole = open_dataset(folder / read_card(folder / "card.json").manifest)
    rows = {row.id: number for number, row in enumerate(whole.recordings)}
    for share, wanted in ((0.4, 7), (0.01, 1)):
        chosen = sample_of(loaded.request.data, raw_files(loaded), share)
        assert not chosen[0][0].whole
        place = tmp_path / f"part {share}"
        (told,) = published_sample(loaded.request, loaded.base, chosen, place)
        card = read_card(Path(str(told["source"])))
        part = open_dataset(place / card.manifest, checksums=True)
        assert len(part.recordings) == wanted
        table, full = part.streams["main"], whole.streams["main"]
        for number, row in enumerate(part.recordings):
            first, count = int(table.first_row[number]), int(table.rows[number])
            there = int(full.first_row[rows[row.id]])
            taken = table.read_rows(first, first + count)
            np.testing.assert_array_equal(taken, full.read_rows(there, there + count))
            assert row == whole.recordings[rows[row.id]]
    assert count < full.rows[rows[row.id]]  # of the last, the first rows alone


def test_a_request_for_published_data_is_quoted(published: Path) -> None:
    said = call("request", "quote", published, "--out", published.parent / "out")
    assert (said.code, said.err.count("Traceback")) == (0, 0), said
    assert "prepare" in said.out
