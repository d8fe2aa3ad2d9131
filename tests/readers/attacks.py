"""Files that someone made to do harm, each with the words of its refusal.

A new attack is one entry; `tests/readers/test_hostile_files.py` holds time and memory against it.
"""

from __future__ import annotations

import gzip
import json
import lzma
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from readers.activity_files import gpx, hrm, sealed, trkpt, wfdb_record
from readers.test_goldencheetah import ride
from readers.whole_files import WHOLE, form_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Attack(NamedTuple):
    """A hostile file: `make` writes it into a folder; `message` is what its refusal says."""

    form: str
    make: Callable[[Path], Path]
    message: str
    options: dict[str, Any] = {}


ATTACKS: dict[str, Attack] = {}


def attack(name: str, content: bytes | str, message: str, **options: Any) -> None:
    """One file ``what it does/name.FORMAT`` and the words of its refusal."""
    file_name = name.rpartition("/")[2]

    def make(folder: Path) -> Path:
        file = folder / file_name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    form = _FORMS.get(file_name.split(".")[1], file_name.split(".")[1])
    ATTACKS[name] = Attack(form, make, message, options)


def made(form: str, name: str, message: str, **options: Any) -> Callable[..., Any]:
    """A function that writes the file of an attack."""

    def keep(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
        ATTACKS[f"{name}/{form}"] = Attack(form, make, message, options)
        return make

    return keep


_FORMS = {"txt": "rr", "xlsx": "excel", "dat": "text", "mat": "mat5", "bin": "scope"}
NEEDS = {form: whole.needs for form, whole in WHOLE.items()}

# --- Compression around a file, for each format that can be compressed as a whole. ---

ZEROS = gzip.compress(bytes(2**27))
MANY = "unpack to more than|holds more than"


def _wrapped(form: str, suffix: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        file = WHOLE[form].make(folder)
        file = file.with_name(file.name + suffix)
        file.write_bytes(content)
        return file

    return make


def _greedy_xz() -> bytes:
    """A small .xz whose header asks for a dictionary of 4 GiB."""
    content = bytearray(lzma.compress(b"t,x\n1,2\n"))
    size = 4 * (content[12] + 1)
    assert content[14:16] == b"\x21\x01"  # the filter LZMA2 with one byte of properties
    content[16] = 40
    content[12 + size - 4 : 12 + size] = struct.pack("<I", zlib.crc32(content[12 : 8 + size]))
    return bytes(content)


for _form in (name for name in WHOLE if "/" not in name and name != "wfdb"):
    # 8 GiB from 8 MB: no file of the size that a limit by ratio alone would wait for.
    ATTACKS[f"bomb.gz/{_form}"] = Attack(
        _form, _wrapped(_form, ".gz", ZEROS * 64), MANY, WHOLE[_form].ways[0]
    )
ATTACKS["bomb.xz/csv"] = Attack("csv", _wrapped("csv", ".xz", lzma.compress(bytes(2**27))), MANY)
ATTACKS["bomb.xz/fit"] = Attack("fit", _wrapped("fit", ".xz", lzma.compress(bytes(2**27))), MANY)
ATTACKS["dictionary of 4 GiB/csv"] = Attack(
    "csv", _wrapped("csv", ".xz", _greedy_xz()), r"damaged as a \.xz file"
)

# --- Text. ---

attack("blanks without end/a.csv", "t,x\n1," + " " * 2**20 + "x\n", "", delimiter=",")
attack("a cell without end/a.csv", "t,x\n1," + "8" * 2**22 + "\n", "field larger than field limit")
attack(
    "columns without end/a.csv", "," * 2**20 + "\n" + "1," * 2**20 + "1\n", "has 1048577 columns"
)
attack("an open quote/a.csv", 't,x\n1,"2\n' + "1,2\n" * 2**16, "")
attack("a name without end/a.csv", "x" * 2**20 + ",y\n1,2\n", "", columns=["z"])
attack(
    "controls in a name/a.csv",
    "x\x1b[2J\x1b]0;owned\x07,y\n1,2\n",
    "has no column z",
    columns=["z"],
)
attack("columns without end/a.dat", "1 " * 2**20 + "\n", "has 1048576 columns")
attack("a number without end/a.dat", "8" * 2**22 + "x\n", "")
attack("controls/a.dat", "1 2\n3 \x1b[2J\xff\n", "")
attack("dimensions without end/a.ts", "@data\n" + "1:" * 2**19 + "1\n", "has 524289 columns")

# --- Activity files. ---

BILLION = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{BILLION}]><gpx>&l9;</gpx>'
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><gpx>&f;</gpx>'
)
MANY_SPACES = " ".join(f'xmlns:a{n}="http://b/{n}"' for n in range(5000))
for _form in ("gpx", "tcx"):
    attack(f"entities/a.{_form}", BOMB, "declares a document type or entities")
    attack(f"entities, salvaged/b.{_form}", BOMB, "declares a document type", salvage=True)
    attack(f"a file from outside/a.{_form}", OUTSIDE, "declares a document type or entities")
    attack(f"deep/a.{_form}", "<a>" * 100_000, "is nested deeper than 64 elements")
    attack(f"large/a.{_form}", "<a>" + " " * 2**26, "holds more than 67108864 bytes")
attack("names without end/a.gpx", gpx("xmlns " * 10_000), "has the word xmlns outside its place")
attack("namespaces without end/a.gpx", gpx(trkpt(0), MANY_SPACES), "more than 64 namespaces")


def _fit(length: int, body: bytes) -> bytes:
    return sealed(struct.pack("<BBHI4s", 14, 0x20, 2132, length, b".FIT"), body)


def _definition(fields: int, size: int) -> bytes:
    return b"\x40\0\0\x14\0" + bytes([fields]) + bytes([3, size, 2]) * fields


attack("absurd length/a.fit", _fit(2**32 - 1, b""), "damaged or no FIT file")
attack("absurd fields/a.fit", _fit(2000, _definition(255, 255)), "damaged or no FIT file")
attack("large/a.fit", b"\0" * (2**26 + 1), "holds more than")
attack("absurd length/a.hrm", hrm("80\n", "000000000", length="9999:59:59.0"), "is cut short")
attack("long line/a.hrm", hrm("8" * 2**20, "000000000"), "is no row of 1 whole numbers")
attack("long number/a.txt", "8" * 2**20, "line 1 is no number")


def _wfdb(name: str, old: str, new: str, message: str, **options: Any) -> None:
    @made("wfdb", name, message, table="signals", **options)
    def make(folder: Path) -> Path:
        head = wfdb_record(folder)
        head.write_text(head.read_text(encoding="ascii").replace(old, new, 1), encoding="ascii")
        return head


_wfdb("traversal", "r1.dat", "../../etc/passwd", "another name or folder")
_wfdb("absolute", "r1.dat", "/etc/passwd", "another name or folder")
_wfdb("absurd length", "360 1080", "360 999999999999", "promises more samples")
_wfdb("absurd signals", "r1 1 ", "r1 999 ", "promises more samples")
_wfdb("large", "# 69", "# " + "6" * 2**17, "is too large for a header")

# --- Arrays. ---


def _npy(shape: str, body: bytes = bytes(64), kind: str = "<f8") -> bytes:
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + body


attack("absurd shape/a.npy", _npy(f"({10**15},)"), "promise 8000000000000000 bytes")
attack("shape of 2**70/a.npy", _npy(f"({2**35}, {2**35})"), "promise")
attack("negative shape/a.npy", _npy("(-1, 5)"), "damaged or no .npy file")
attack("rows of nothing/a.npy", _npy(f"({10**15}, 0)"), "has no rows")
attack("columns without end/a.npy", _npy("(1, 1048576)", bytes(2**23)), "has 1048576 columns")
attack("a header without end/a.npy", _npy("(" * 9000), "damaged or no .npy file")
attack("a pickle/a.npy", _npy("()", b"cos\nsystem\n(S'id'\ntR.", "|O"), "holds a pickle")


def _mat5(*elements: bytes) -> bytes:
    return b"MATLAB 5.0".ljust(124) + struct.pack("<H2s", 0x100, b"IM") + b"".join(elements)


def _element(kind: int, body: bytes, size: int | None = None) -> bytes:
    filled = body + bytes(-len(body) % 8)
    return struct.pack("<2I", kind, len(body) if size is None else size) + filled


def _matrix(
    name: bytes, values: bytes, kind: int = 6, rows: int = 0, inner: int | None = None
) -> bytes:
    flags = _element(6, struct.pack("<2I", kind, 0))
    shape = _element(5, struct.pack("<2i", rows or len(values) // 8, 1))
    return _element(14, flags + shape + _element(1, name) + _element(9, values, inner))


def _deflated(content: bytes) -> bytes:
    packed = zlib.compress(content, 9)
    return struct.pack("<2I", 15, len(packed)) + packed


X = {"variables": {"x": "x"}}
attack("absurd length/a.mat", _mat5(_element(14, b"", 2**32 - 8)), "is truncated", **X)
attack(
    "absurd values/a.mat", _mat5(_matrix(b"x", bytes(8), rows=2**30, inner=2**31)), "damaged", **X
)
attack("bomb/a.mat", _mat5(_deflated(_matrix(b"x", bytes(2**27)))), "promise|unpack", **X)
attack(
    "a bomb that lies/a.mat",
    _mat5(
        _deflated(
            _matrix(b"x", bytes(2**27))[:4]
            + struct.pack("<I", 80)
            + _matrix(b"x", bytes(2**27))[8:]
        )
    ),
    "",
    **X,
)


def _cells(depth: int) -> bytes:
    inner = _matrix(b"", bytes(8))
    for _ in range(depth):
        flags = _element(6, struct.pack("<2I", 1, 0))
        inner = _element(
            14, flags + _element(5, struct.pack("<2i", 1, 1)) + _element(1, b"") + inner
        )
    flags = _element(6, struct.pack("<2I", 1, 0))
    return _element(14, flags + _element(5, struct.pack("<2i", 1, 1)) + _element(1, b"x") + inner)


attack("cells in cells/a.mat", _mat5(_cells(3000)), "no vector of numbers", **X)
attack("variables without end/a.mat", _mat5(_matrix(b"x", bytes(8)) * 200_000), "variables", **X)


def _wav(size: int, channels: int = 1, before: bytes = b"", body: bytes = bytes(8)) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, 1000, 2000, 2, 16)
    content = b"WAVE" + form + before + struct.pack("<4sI", b"data", size) + body
    return struct.pack("<4sI", b"RIFF", len(content)) + content


attack("absurd length/a.wav", _wav(2**32 - 1), "needs the file to have")
attack("absurd channels/a.wav", _wav(8, 65535), "")
attack(
    "chunks without end/a.wav", _wav(8, before=struct.pack("<4sI", b"LIST", 0) * 2**20), "chunks"
)


# --- Workbooks. ---


def _book(folder: Path, sheet: bytes, **more: bytes) -> Path:
    file = WHOLE["excel"].make(folder)
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["xl/worksheets/1.xml"] = sheet
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**members, **more}.items():
            archive.writestr(name, content)
    return file


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def _sheet(cells: str) -> bytes:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{cells}</sheetData></worksheet>'.encode()


@made("excel", "zip bomb", "unpack to more than")
def _zip_bomb(folder: Path) -> Path:
    return _book(folder, bytes(2**27))


@made("excel", "a zip bomb that lies", "unpack to more than|damaged")
def _lying_bomb(folder: Path) -> Path:
    file = _book(folder, bytes(2**27))
    content = file.read_bytes().replace(struct.pack("<I", 2**27), struct.pack("<I", 1000))
    file.write_bytes(content)
    return file


@made("excel", "a cell far out", "nearly all of them empty|more memory")
def _far_cell(folder: Path) -> Path:
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    return _book(folder, _sheet(f'<row r="1"><c r="A1"><v>1</v></c></row>{far}'))


@made("excel", "entities", "damaged or no workbook|has no rows")
def _entities(folder: Path) -> Path:
    return _book(folder, BOMB.replace("gpx", "worksheet").encode())


@made("excel", "traversal", "has no rows|damaged|^$")
def _traversal(folder: Path) -> Path:
    return _book(folder, _sheet(""), **{"../../../evil.txt": b"evil"})


@made("excel", "members without end", "members")
def _members(folder: Path) -> Path:
    file = folder / "a.xlsx"
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"x{number}", b"")
    return file


# --- HDF5 and MATLAB 7.3. ---


def _h5(form: str, name: str, message: str) -> Callable[..., Any]:
    """A file that a function fills; for MATLAB its dataset x has a class."""

    def keep(fill: Callable[[Any, Path], None]) -> None:
        @made(form, name, message)
        def make(folder: Path) -> Path:
            import h5py  # noqa: PLC0415

            file = folder / ("a.mat" if form == "mat73" else "a.h5")
            with h5py.File(file, "w", userblock_size=512 if form == "mat73" else 0) as store:
                fill(store, folder)
                if form == "mat73" and "x" in store:
                    store["x"].attrs["MATLAB_class"] = np.bytes_("double")
            return file

    return keep


def _absurd_shape(store: Any, _: Path) -> None:
    store.create_dataset("x", shape=(2**40, 1), dtype="f8", chunks=(1024, 1))


def _absurd_chunk(store: Any, _: Path) -> None:
    options = {"chunks": (2**28, 1), "maxshape": (None, 1), "compression": "gzip"}
    item = store.create_dataset("x", shape=(8, 1), dtype="f8", **options)
    item.id.write_direct_chunk((0, 0), zlib.compress(bytes(2**20), 9))


def _bomb_in_chunk(store: Any, _: Path) -> None:
    options = {"chunks": (1024, 1), "compression": "gzip"}
    item = store.create_dataset("x", shape=(1024, 1), dtype="f8", **options)
    item.id.write_direct_chunk((0, 0), ZLIB_ZEROS)


def _bomb_twice(store: Any, _: Path) -> None:
    import h5py  # noqa: PLC0415

    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((1024, 1))
    plist.set_deflate(9)
    plist.set_deflate(9)
    item = h5py.h5d.create(
        store.id, b"x", h5py.h5t.NATIVE_DOUBLE, h5py.h5s.create_simple((1024, 1)), plist
    )
    item.write_direct_chunk((0, 0), zlib.compress(ZLIB_ZEROS, 9))


ZLIB_ZEROS = zlib.compress(bytes(2**28), 9)
for _form in ("hdf5", "mat73"):
    _h5(_form, "absurd shape", "promise")(_absurd_shape)
    _h5(_form, "absurd chunk", "promise|unpack")(_absurd_chunk)
    _h5(_form, "a bomb in a chunk", "unpack|damaged")(_bomb_in_chunk)
    _h5(_form, "a bomb in a bomb", "unpack|damaged|compressed twice")(_bomb_twice)


@made("hdf5", "values in another file", "in other files")
def _external(folder: Path) -> Path:
    import h5py  # noqa: PLC0415

    with h5py.File(folder / "a.h5", "w") as store:
        store.create_dataset("x", (8,), "u1", external=[("/etc/passwd", 0, 8)])
    return folder / "a.h5"


@made("hdf5", "links to other files and to itself", "has no rows")
def _links(folder: Path) -> Path:
    import h5py  # noqa: PLC0415

    with h5py.File(folder / "a.h5", "w") as store:
        store["out"] = h5py.ExternalLink("/etc/passwd", "/")
        store["ring"] = h5py.SoftLink("/ring")
        store["group/again"] = store["/"]
    return folder / "a.h5"


@made("hdf5", "groups in groups", "damaged|has no rows|objects")
def _deep_groups(folder: Path) -> Path:
    import h5py  # noqa: PLC0415

    with h5py.File(folder / "a.h5", "w") as store:
        group = store
        for _ in range(3000):
            group = group.create_group("g")
    return folder / "a.h5"


@made("mat73", "a cell that holds itself", "contain themselves|damaged")
def _ring(folder: Path) -> Path:
    import h5py  # noqa: PLC0415

    with h5py.File(folder / "a.mat", "w", userblock_size=512) as store:
        item = store.create_dataset("x", (1, 2), h5py.ref_dtype)
        item[0, 0] = item[0, 1] = item.ref
        item.attrs["MATLAB_class"] = np.bytes_("cell")
    return folder / "a.mat"


# --- Instruments. ---


@made("ide", "absurd length", "damaged")
def _ide(folder: Path) -> Path:
    file = WHOLE["ide"].make(folder)
    content = file.read_bytes()
    # An element of 2**56 - 2 bytes at the end.
    file.write_bytes(content + b"\xa1\x01\xff\xff\xff\xff\xff\xff\xfe")
    return file


def _patched(form: str, name: str, message: str, *changes: tuple[bytes, bytes]) -> None:
    """The whole file with bytes replaced, which must be there."""

    @made(form, name, message)
    def make(folder: Path) -> Path:
        file = WHOLE[form].make(folder)
        content = file.read_bytes()
        for old, new in changes:
            assert old in content, old
            content = content.replace(old, new)
        file.write_bytes(content)
        return file


@made("mdf", "absurd rows", "promise|damaged|more memory")
def _mdf_rows(folder: Path) -> Path:
    file = WHOLE["mdf"].make(folder)
    content = bytearray(file.read_bytes())
    at = -1
    while (at := content.find(b"##CG", at + 1)) >= 0:
        # Links are 8 bytes each from byte 24 on; the record's number and the count of rows follow.
        links = struct.unpack_from("<Q", content, at + 16)[0]
        struct.pack_into("<Q", content, at + 24 + 8 * links + 8, 2**40)
    file.write_bytes(bytes(content))
    return file


@made("mdf", "absurd blocks", "damaged|more memory|no end")
def _mdf_blocks(folder: Path) -> Path:
    file = WHOLE["mdf"].make(folder)
    content = bytearray(file.read_bytes())
    for mark in (b"##DT", b"##DG", b"##TX", b"##CN"):
        if (at := content.find(mark)) >= 0:
            struct.pack_into("<Q", content, at + 8, 2**60)
    file.write_bytes(bytes(content))
    return file


@made("mdf", "packed zeros", "promise|damaged|more memory")
def _mdf_packed(folder: Path) -> Path:
    from readers import test_mdf  # noqa: PLC0415

    asammdf = test_mdf.asammdf
    stamps = np.arange(2**24) * 1e-3
    big = asammdf.Signal(np.zeros(2**24), stamps * 0 + 1.0, name="x")
    with asammdf.MDF(version="4.10") as store:
        store.append([big], common_timebase=True)
        store.save(folder / "a.mf4", overwrite=True, compression=2)
    return folder / "a.mf4"


@made("parquet", "rows of one value", "promise")
def _parquet_run(folder: Path) -> Path:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(2**25, np.int32)), pa.array([1.0]))
    pq.write_table(pa.table({"x": column.dictionary_decode()}), folder / "a.parquet")
    return folder / "a.parquet"


@made("parquet", "a text of zeros", "promise|unpack")
def _parquet_text(folder: Path) -> Path:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    table = pa.table({"x": pa.array(["0" * 2**27])})
    pq.write_table(table, folder / "a.parquet", compression="zstd", use_dictionary=False)
    return folder / "a.parquet"


@made("parquet", "a text of zeros that lies", "promise")
def _parquet_lie(folder: Path) -> Path:
    """As before, but the file's end says that the text has 100 bytes."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    file = _parquet_text(folder)
    chunk = pq.ParquetFile(file).metadata.row_group(0).column(0)
    raw = file.read_bytes()
    end = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    # Whole numbers of five bytes, seven bits each; the lower bit of the first is the sign.
    true, lie = (
        bytes((2 * number >> 7 * at & 127) | (128 if at < 4 else 0) for at in range(5))
        for number in (chunk.total_uncompressed_size, 100)
    )
    assert true in raw[end:]
    file.write_bytes(raw[:end] + raw[end:].replace(true, lie))
    return file


@made("scope", "absurd points", "damaged")
def _scope_points(folder: Path) -> Path:
    from readers import test_scope  # noqa: PLC0415

    return test_scope.write(folder / "a.bin", points=2**32 - 1 >> 2)


_patched(
    "tdms", "absurd values", "promise|damaged", (struct.pack("<Q", 20), struct.pack("<Q", 2**60))
)
_patched("uff", "absurd points", "promises 99999999", (b"        20", b"  99999999"))
_patched("uff/binary", "absurd points", "promises 99999999", (b"        20", b"  99999999"))
attack("sets without end/a.uff", ("    -1\n    58\n    -1\n" * 20_000).encode(), "")


# --- What people's devices, pitches and games write. ---


def _json(form: str, name: str, content: str, message: str, **options: Any) -> None:
    ATTACKS[f"{name}/{form}"] = Attack(form, _text("a.json", content), message, options)


def _text(name: str, content: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_text(content, encoding="utf-8")
        return folder / name

    return make


for _form in ("fitbit", "goldencheetah"):
    for _salvage in (False, True):
        _words = ", salvaged" if _salvage else ""
        _json(_form, f"deep{_words}", '[{"a":' * 100_000, "nested too deep", salvage=_salvage)
        _json(_form, f"deep objects{_words}", "{}" * 10**5, "no JSON", salvage=_salvage)
    _json(_form, "a long number", '{"RIDE": ' + "9" * 10**6 + "}", "no JSON")
    _json(_form, "large", " " * (2**25 + 1), "holds more than")
_json(
    "goldencheetah",
    "series without end",
    json.dumps(ride(*({"SECS": at, f"X{at}": 1} for at in range(5000)))),
    "nearly all of them empty",
)


def _metadata(form: str, name: str, old: str, new: str, message: str) -> None:
    """A match whose metadata are changed."""

    @made(form, name, message, metadata="match.xml")
    def make(folder: Path) -> Path:
        file = WHOLE[form].make(folder)
        text = file.with_suffix(".xml").read_text(encoding="utf-8")
        assert old in text
        file.with_suffix(".xml").write_text(text.replace(old, new, 1), encoding="utf-8")
        return file


for _form, _root in (("epts", "<main>"), ("tracab", '<TracabMetaData sVersion="1.0">')):
    _metadata(_form, "entities", _root, BOMB + _root, "declares a document type or entities")
    _metadata(_form, "a file from outside", _root, OUTSIDE + _root, "declares a document type")
    _metadata(_form, "deep", _root, "<a>" * 100_000, "is nested deeper than 64 elements")
_metadata("epts", "a pattern", 'separator=";"', 'separator="(a|a)*;"', "at each level")
_metadata("epts", "no separator", 'separator=","', 'separator=""', "at each level")
_metadata("epts", "one separator", 'separator=";"', 'separator=":"', "at each level")
_metadata("epts", "a pattern as name", "frameCount", "f&gt;(a|a)*)(?P&lt;g", "letters and digits")
_metadata("epts", "a pattern as player", 'Player id="P_A"', 'Player id="(a|a)*"', "letters and")
_metadata("epts", "players without end", "<Players>", f"<Players>{'<Player/>' * 10**5}", "tells of")
_metadata(
    "epts",
    "fields without end",
    "<BallChannelRef",
    "<BallChannelRef/>" * 10**5 + "<BallChannelRef",
    "fields",
)
_metadata(
    "tracab",
    "periods without end",
    "<period",
    '<period iId="1" iStartFrame="1" iEndFrame="9"/>' * 10**5 + "<period",
    "too many periods",
)


def _tracking(name: str, content: str, message: str) -> None:
    """A match whose tracking is another one."""

    @made("tracab", name, message, metadata="match.xml")
    def make(folder: Path) -> Path:
        file = WHOLE["tracab"].make(folder)
        file.write_text(content, encoding="ascii")
        return file


_tracking("deep", '{"a":' * 100_000, "is JSON")
_tracking("a long number", "9" * 10**7 + ":", "no frame in a period")
_tracking(
    "players without end",
    "100:" + "".join(f"1,1,{at},0,0,0;" for at in range(10**5)) + ":0,0,0,0,H,Alive;:\n",
    "tells of 100000 players",
)


def _resealed(folder: Path, block: int, at: int, form: str, value: int) -> Path:
    """A CWA file with a number changed in a block, whose checksum is right again."""
    file = WHOLE["cwa"].make(folder)
    raw = bytearray(file.read_bytes())
    first = 1024 + 512 * block
    struct.pack_into(form, raw, first + at, value)
    words = np.frombuffer(bytes(raw[first : first + 510]), "<u2")
    struct.pack_into("<H", raw, first + 510, -int(words.sum()) & 0xFFFF)
    file.write_bytes(bytes(raw))
    return file


@made("cwa", "absurd rows", "is damaged or no CWA file")
def _cwa_rows(folder: Path) -> Path:
    return _resealed(folder, 1, 28, "<H", 65535)


@made("cwa", "absurd time", "is damaged or no CWA file")
def _cwa_time(folder: Path) -> Path:
    return _resealed(folder, 1, 14, "<I", 2**32 - 1)


@made("geneactiv", "absurd pages", "of 999999999 pages are whole")
def _geneactiv_pages(folder: Path) -> Path:
    file = WHOLE["geneactiv"].make(folder)
    raw = file.read_bytes()
    file.write_bytes(raw.replace(b"Number of Pages:2", b"Number of Pages:999999999"))
    return file


if "gt3x" in WHOLE:

    def _gt3x(folder: Path, count: int, content: bytes) -> Path:
        with zipfile.ZipFile(folder / "a.gt3x", "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(count):
                archive.writestr(f"log{number}.bin", content)
        return folder / "a.gt3x"

    made("gt3x", "zip bomb", "promise")(lambda folder: _gt3x(folder, 1, bytes(2**27)))
    made("gt3x", "members without end", "members")(lambda folder: _gt3x(folder, 20_000, b""))

if "sc2replay" in WHOLE:

    @made("sc2replay", "bomb", "is damaged")
    def _replay_bomb(folder: Path) -> Path:
        from readers.test_sc2replay import with_bomb  # noqa: PLC0415

        file = WHOLE["sc2replay"].make(folder)
        file.write_bytes(with_bomb(file.read_bytes()))
        return file

    @made("sc2replay", "absurd tables", "is damaged")
    def _replay_tables(folder: Path) -> Path:
        file = WHOLE["sc2replay"].make(folder)
        raw = bytearray(file.read_bytes())
        at = raw.index(b"MPQ\x1a") + 24
        raw[at : at + 8] = b"\xff" * 8
        file.write_bytes(bytes(raw))
        return file


FORMS = sorted({form_of(item.form) for item in ATTACKS.values()})
"""Formats that are attacked."""
