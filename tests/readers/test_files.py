"""Finding files, in folders and packages, and their digests."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from lumipipe.config import Source
from lumipipe.errors import InputError
from lumipipe.readers.compressed import plain_name
from lumipipe.readers.files import check_digest, find_files, glob_root, relative_name


def source(path: str, **more: object) -> Source:
    """A source with nothing but a path."""
    return Source.model_validate(
        {
            "id": "s",
            "source": path,
            "format": "csv",
            "time": {"kind": "regular", "rate_hz": 1},
            "channels": [{"name": "x", "quantity": "acceleration", "unit": "g"}],
            **more,
        }
    )


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A folder with three files in two folders."""
    for name in ("b/2.csv", "a/1.csv", "a/3.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_paths_and_globs(base: Path) -> None:
    def found(pattern: str) -> list[str]:
        return [relative_name(source(pattern), path) for path in find_files(source(pattern), base)]

    assert found("a/1.csv") == ["1.csv"]
    assert found("*/*.csv") == ["a/1.csv", "a/3.csv", "b/2.csv"]
    assert found("a/*") == ["1.csv", "3.csv"]
    assert found(f"{base}/a/**/*.csv") == ["1.csv", "3.csv"]
    wild = source("**/*.csv")
    names = [relative_name(wild, path, glob_root(wild, base)) for path in find_files(wild, base)]
    assert names == ["a/1.csv", "a/3.csv", "b/2.csv"]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("c/*.csv", "no file matches c/"),
        ("a", "name its files: a/"),
        ("package:no_such_package/x.npy", r"pip install 'lumipipe\[demo\]'"),
        ("package:json/*.csv", "no file matches"),
        ("package:json/../../*.py", "leads out of the package"),
    ],
)
def test_nothing_found(base: Path, pattern: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_files(source(pattern), base)


def test_package_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "lumipipe_test_package"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "data" / "x.npy").write_bytes(b"")
    monkeypatch.syspath_prepend(str(tmp_path))
    wanted = source("package:lumipipe_test_package/data/*.npy")
    (file,) = find_files(wanted, Path("/nowhere"))
    assert relative_name(wanted, file) == "x.npy"
    assert "lumipipe_test_package" not in sys.modules


def test_digests(base: Path) -> None:
    file = base / "a" / "1.csv"
    digest = hashlib.sha256(b"a/1.csv").hexdigest()
    assert check_digest(file, source("a/*")) == digest
    assert check_digest(file, source("a/*", sha256=digest)) == digest
    assert check_digest(file, source("a/*", sha256={"1.csv": digest})) == digest
    assert check_digest(file, source("*/*", sha256={"a/1.csv": digest})) == digest
    with pytest.raises(InputError, match="its SHA-256 is"):
        check_digest(file, source("a/*", sha256="0" * 64))
    with pytest.raises(InputError, match=r"/a: cannot be read \(Is a directory\); check"):
        check_digest(file.parent, source("*"))
    with pytest.raises(InputError, match="declares no digest of this file"):
        check_digest(file, source("a/*", sha256={"2.csv": digest}))


def test_plain_names() -> None:
    assert plain_name(Path("x/acc_1.4.4.csv.gz")) == "acc_1.4.4"
    assert plain_name(Path("B007@6_0.mat")) == "B007@6_0"
