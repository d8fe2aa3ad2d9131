from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import pytest

from lumipipe.errors import InputError, StoreError
from lumipipe.store.files import digest_of, write_json
from lumipipe.store.manifest import is_published, publishing, read_manifest, staging_of

if TYPE_CHECKING:
    from pathlib import Path


def publish(folder: Path, text: str = "one", **options: object) -> Path:
    manifest = folder / "train" / "key.json"
    with publishing(manifest, folder / "train" / "key", {"rows": 1}, **options) as staging:
        (staging / "deep").mkdir(exist_ok=True)
        (staging / "model.txt").write_text(text)
        (staging / "deep" / "more.txt").write_text(text * 2)
    return manifest


def content(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_a_product_has_kind_key_files_and_record(tmp_path):
    found = read_manifest(publish(tmp_path), checksums=True)
    assert (found.kind, found.key, found.record) == ("train", "key", {"rows": 1})
    assert {name: file.size for name, file in found.files.items()} == {
        "model.txt": 3,
        "deep/more.txt": 6,
    }
    assert (found.product / "model.txt").read_text() == "one"
    assert not staging_of(found.product).exists()


def test_the_digest_knows_neither_place_nor_time(tmp_path):
    first = publish(tmp_path / "a")
    second = publish(tmp_path / "b")
    assert read_manifest(first).digest == read_manifest(second).digest
    body = json.loads(first.read_text())["content"]
    assert str(tmp_path) not in json.dumps(body)


def test_known_digests_are_not_computed_again(tmp_path):
    known = {"model.txt": "0" * 64}
    assert read_manifest(publish(tmp_path, digests=known)).files["model.txt"].sha256 == "0" * 64


def test_a_product_without_a_manifest_does_not_exist(tmp_path):
    manifest = publish(tmp_path)
    manifest.unlink()
    assert not is_published(manifest)
    with pytest.raises(StoreError, match="no manifest"):
        read_manifest(manifest)
    log: list[str] = []
    publish(tmp_path, log=log.append)
    assert any("without a manifest" in line for line in log)
    assert is_published(manifest)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda file: file.unlink(), "is missing after 0.0 s"),
        (lambda file: file.write_text("longer"), "has 6 bytes, not 3"),
    ],
)
def test_a_missing_or_cut_file_is_named(tmp_path, damage, problem):
    manifest = publish(tmp_path)
    damage(manifest.parent / "key" / "model.txt")
    with pytest.raises(StoreError, match=rf"model.txt.*{problem}"):
        read_manifest(manifest, patience_s=0)
    assert not is_published(manifest)


def test_changed_content_is_found_by_checksums_only(tmp_path):
    manifest = publish(tmp_path)
    (manifest.parent / "key" / "model.txt").write_text("two")
    read_manifest(manifest)
    with pytest.raises(StoreError, match=r"model.txt.*changed or damaged"):
        read_manifest(manifest, checksums=True)


def test_an_edited_manifest_is_refused(tmp_path):
    manifest = publish(tmp_path)
    manifest.write_text(manifest.read_text().replace('"rows": 1', '"rows": 2'))
    with pytest.raises(StoreError, match="does not agree with its digest"):
        read_manifest(manifest)
    manifest.write_text("{")
    with pytest.raises(StoreError, match="is no manifest"):
        read_manifest(manifest)


def test_a_file_that_appears_late_is_waited_for(tmp_path):
    manifest = publish(tmp_path)
    file, hidden = manifest.parent / "key" / "model.txt", tmp_path / "hidden"
    file.rename(hidden)
    timer = threading.Timer(0.15, lambda: hidden.rename(file))
    timer.start()
    log: list[str] = []
    read_manifest(manifest, patience_s=10, log=log.append)
    timer.join()
    assert any("waited 0." in line for line in log)


def test_the_wait_is_bounded_and_said(tmp_path):
    manifest = publish(tmp_path)
    (manifest.parent / "key" / "model.txt").unlink()
    started = time.monotonic()
    with pytest.raises(StoreError, match=r"model.txt.*after 0\.[23] s"):
        read_manifest(manifest, patience_s=0.2)
    assert time.monotonic() - started < 2


def test_the_same_key_changes_nothing(tmp_path):
    manifest = publish(tmp_path, "one")
    before = manifest.read_bytes()
    log: list[str] = []
    publish(tmp_path, "two", log=log.append)
    assert manifest.read_bytes() == before
    assert (manifest.parent / "key" / "model.txt").read_text() == "one"
    assert any("nothing changes" in line for line in log)
    assert content(manifest.parent) == {
        "key",
        "key.json",
        "key/model.txt",
        "key/deep",
        "key/deep/more.txt",
    }


def test_another_key_is_refused(tmp_path):
    manifest = publish(tmp_path)
    with pytest.raises(StoreError, match="never changed"):
        publish(tmp_path, key="other")
    assert is_published(manifest)


def test_a_damaged_product_is_built_again(tmp_path):
    manifest = publish(tmp_path)
    (manifest.parent / "key" / "model.txt").unlink()
    log: list[str] = []
    publish(tmp_path, log=log.append)
    assert any("damaged" in line for line in log)
    read_manifest(manifest, checksums=True)


@pytest.mark.parametrize("resume", [False, True])
def test_what_a_killed_run_left_is_removed_or_resumed(tmp_path, resume):
    staging = staging_of(tmp_path / "train" / "key")
    staging.mkdir(parents=True)
    (staging / "stale.txt").write_text("half")
    log: list[str] = []
    found = read_manifest(publish(tmp_path, resume=resume, log=log.append))
    assert ("stale.txt" in found.files) is resume
    assert any(("resumed" if resume else "removed") in line for line in log)


def fail(manifest: Path, error: Exception, **options: object) -> None:
    """Publish half a product."""
    with publishing(manifest, manifest.with_suffix(""), {}, **options) as staging:
        (staging / "half.txt").write_text("half")
        raise error


def test_an_input_error_leaves_no_trace(tmp_path):
    with pytest.raises(InputError, match="mend it"):
        fail(tmp_path / "a" / "b" / "key.json", InputError("request.yaml:1", "is wrong", "mend it"))
    assert content(tmp_path) == set()


@pytest.mark.parametrize("error", [RuntimeError("defect"), StoreError("a", "is gone", "fetch it")])
def test_what_a_resumed_run_can_use_is_left_for_it(tmp_path, error):
    manifest = tmp_path / "a" / "key.json"
    with pytest.raises(type(error)):
        fail(manifest, error, resume=True)
    assert (tmp_path / "a" / ".key.staging" / "half.txt").exists()
    assert not is_published(manifest)


def test_json_is_canonical_and_refuses_what_json_cannot_say(tmp_path):
    write_json(tmp_path / "a.json", {"b": 0.1, "a": "ä\udce4"})
    assert (tmp_path / "a.json").read_bytes().endswith(b'"b": 0.1\n}\n')
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": "ä\udce4", "b": 0.1}
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "b.json", float("nan"))
    assert content(tmp_path) == {"a.json"}
    assert digest_of([1, 1.0]) != digest_of([1, 1])
