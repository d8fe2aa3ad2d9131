"""Every file of the real data has its line in a table: read with so many rows, or refused.

Instrument containers and activity files have their tables in `test_every_instrument_file.py` and
`test_activity_real_data.py`; the others are in `every_file.tsv`: file, rule, rows x columns of each
table that is read (those of one shape as N*shape). `=` stands for as many rows as the file has
lines: no figure of these sets, which come from people, is kept here, and their files are called by
their digests.
"""

from __future__ import annotations

import csv
import functools
import gzip
import hashlib
import lzma
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lumipipe.config import Prepare, Source
from lumipipe.errors import InputError
from lumipipe.readers import READERS, WITHOUT_READER
from lumipipe.readers.dcc import read_certificate
from lumipipe.readers.recording import read_recordings

pytestmark = [pytest.mark.real, pytest.mark.slow]

TABLE = Path(__file__).with_name("every_file.tsv")
TEXT = {"csv", "text"}


class Rule(NamedTuple):
    """How files of a kind are read, or why they are not."""

    form: str | None
    options: dict[str, Any] = {}
    needs: str | None = None
    refused: str | None = None
    """What the message says, where they are refused."""


RULES = {
    "cwru": Rule("mat5", {"variables": {"DE": "*_DE_time"}}),
    "csv": Rule("csv"),
    "csv without names": Rule("csv", {"header": 0}),
    # Whole numbers with three digits behind the mark: which mark it is must be said.
    "thermocouple": Rule("csv", {"header": 0, "decimal": ".", "thousands": ""}),
    # A spreadsheet cut the hours from its times and left 38 rows of empty cells.
    "cut by a spreadsheet": Rule("csv", {"empty_trailing": True, "footer": 38, "text": ["time"]}),
    "text": Rule("text"),
    "transposed": Rule("text", {"transpose": True}),
    "text below one line": Rule("text", {"header": 1}),
    "rata": Rule("csv", {"text": ["*"], "missing": ["", "NA"]}),
    "water": Rule("csv", {"missing": ["?"]}),
    "excel": Rule("excel", {}, "python_calamine"),
    "ts": Rule("ts"),
    "vendor's table": Rule("csv", {"missing": ["", "null"]}),
    "gears": Rule("csv", {"text": ["Gear"]}),
    # ActiLife's head of ten lines, and in one export a line of names.
    "counts": Rule("csv", {"header": 10, "names": [f"c{at}" for at in range(1, 10)]}),
    "counts with stamps": Rule("csv", {"header": 11, "names_line": 11}),
    "wattbike": Rule("csv", {"encoding": "cp1252", "missing": ["--"]}),
    # The app's last line is cut and shifted.
    "peripedal": Rule("csv", {"footer": 1}),
    "cwa": Rule("cwa", {}, "cwa_reader_rs"),
    "damaged blocks": Rule("cwa", {}, "cwa_reader_rs", "6 of 145 blocks have a wrong checksum"),
    "geneactiv": Rule("geneactiv", refused="too short or damaged: 16 of 222048 pages"),
    "gt3x": Rule("gt3x"),
    "fitbit": Rule("fitbit"),
    "goldencheetah": Rule("goldencheetah"),
    "epts": Rule("epts", {"metadata": "epts_metrica_metadata.xml"}, "kloppy"),
    "tracab": Rule("tracab", {"metadata": "tracab_meta.xml"}, "kloppy"),
    "replay": Rule("sc2replay"),
    # Refused by every reader.
    "beside": Rule(None),
    "certificate": Rule(None),
    "signed certificate": Rule(None),
    "changed certificate": Rule(
        None, refused="does not verify: the digest of the document differs"
    ),
    "trusted certificate": Rule(None),
    "archive of uncertain numbers": Rule(None),
    "prose": Rule(None),
    "no reader": Rule(None),
}
SLOW_TO_REFUSE = {"mdf", "cwa"}  # a process for each file


def entries() -> list[tuple[str, str, str]]:
    """The lines of the table."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [(name, rule, rows) for name, rule, rows in (line.split("\t") for line in lines)]


@functools.cache
def digests(data: Path) -> dict[str, str]:
    """Files below the folder by name, with their digests."""
    return {
        path.relative_to(data).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(data.rglob("*"))
        if path.is_file() and path.parent != data
    }


def path_of(data: Path, name: str) -> Path:
    """A file of the table; one called FOLDER/sha256:DIGITS is found by its digest."""
    folder, mark, digits = name.partition("/sha256:")
    if not mark:
        return data / name
    (found,) = (
        file
        for file, digest in digests(data).items()
        if file.startswith(f"{folder}/") and digest.startswith(digits)
    )
    return data / found


def test_every_file_has_its_line(real_data: Path) -> None:
    from readers.test_activity_real_data import BESIDE, FILES  # noqa: PLC0415
    from readers.test_every_instrument_file import READ, REFUSED  # noqa: PLC0415

    names = [path_of(real_data, name).relative_to(real_data).as_posix() for name, *_ in entries()]
    assert max(Counter(names).values()) == 1
    instruments = {entry[0] for entry in (*READ, *REFUSED)}
    activities = {*FILES, *BESIDE}
    assert not set(names) & (instruments | activities)
    assert not instruments & activities
    sums = (real_data / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    listed = {line.split(maxsplit=1)[1].removeprefix("./"): line.split()[0] for line in sums}
    assert digests(real_data) == listed
    assert set(names) | instruments | activities == set(listed)
    assert {rule for _, rule, _ in entries()} == set(RULES)


def lines_of(file: Path) -> list[str]:
    """Lines of a text file that hold something."""
    raw = file.read_bytes()
    raw = {".gz": gzip.decompress, ".xz": lzma.decompress}.get(file.suffix, bytes)(raw)
    text = raw.decode("utf-8-sig", errors="replace")
    return [line for line in text.splitlines() if line.strip(" ,;\t\r")]


def counted(file: Path, rule: Rule) -> int:
    """Rows of a text file, without the reader: its lines less head and end."""
    lines = lines_of(file)
    head = rule.options.get("header", 1 if rule.form == "csv" else 0)
    end = rule.options.get("footer", 0) if rule.refused is None else 0
    if rule is RULES["cut by a spreadsheet"]:
        end = 0  # its lines hold nothing
    if rule.options.get("transpose"):
        return len(lines[0].split())
    if rule.form == "csv":  # a cell may hold a line break
        return len(list(csv.reader(lines))) - head - end
    return len(lines) - head - end


def options_for(file: Path, rule: Rule) -> dict[str, Any]:
    """The rule's options; `text: ["*"]` stands for all columns that hold something else."""
    if rule.options.get("text") != ["*"]:
        return rule.options
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream)
        names = next(rows)
    return {**rule.options, "text": names}


def shapes(file: Path, rule: Rule) -> str:
    """Rows x columns of each table."""
    assert rule.form is not None
    reader = READERS[rule.form]
    options = reader.Options.model_validate(options_for(file, rule))
    found: list[str] = []
    for table in reader.read(file, options):
        (rows,) = {len(values) for values in table.columns.values()}
        found.append(f"{rows}x{len(table.columns)}")
    return " ".join(
        shape if count == 1 else f"{count}*{shape}" for shape, count in Counter(found).items()
    )


READ = [key for key, rule in RULES.items() if rule.form is not None]


@pytest.mark.parametrize("key", [key for key in READ if key not in {"gt3x", "replay"}])
def test_files_are_read_whole_or_refused(real_data: Path, key: str) -> None:
    rule = RULES[key]
    if rule.needs is not None:
        pytest.importorskip(rule.needs, reason="it is an extra")
    wrong = []
    for name, _, expected in (entry for entry in entries() if entry[1] == key):
        file = path_of(real_data, name)
        if rule.refused is not None:
            with pytest.raises(InputError, match=rule.refused) as error:
                shapes(file, rule)
            assert "\n" not in str(error.value)
            continue
        found = shapes(file, rule)
        if rule.form in TEXT and not found.startswith(f"{counted(file, rule)}x"):
            wrong.append((name, found, f"{counted(file, rule)} lines"))
        if expected not in {"=", found}:
            wrong.append((name, found, expected))
    assert not wrong


def test_the_monitor_that_no_free_library_reads(real_data: Path) -> None:
    ((name, _, expected),) = (entry for entry in entries() if entry[1] == "gt3x")
    try:
        import pygt3x  # type: ignore[import-not-found] # noqa: F401, PLC0415
    except ImportError:
        with pytest.raises(InputError, match=r"pygt3x, which is under the GPL-3\.0"):
            shapes(real_data / name, RULES["gt3x"])
    else:
        assert shapes(real_data / name, RULES["gt3x"]) == expected


def test_replays_are_events_or_an_unknown_format(real_data: Path) -> None:
    names = [name for name, rule, _ in entries() if rule == "replay"]
    assert len(names) == 9
    if "sc2replay" not in READERS:
        with pytest.raises(InputError, match="no reader for format sc2replay"):
            ask(real_data / names[0], "sc2replay")
        return
    pytest.importorskip("sc2reader", reason="it is an extra")
    reader = READERS["sc2replay"]
    for name in names:
        try:
            tables = list(reader.read(real_data / name, reader.Options()))
        except InputError:
            assert "bad_unit_ids" in name  # odd on purpose, says the README
        else:
            assert all(len(next(iter(table.columns.values()))) for table in tables)


def ask(file: Path, form: str) -> None:
    """A request for the file in a format."""
    source = Source.model_validate(
        {
            "id": "s",
            "source": file.name,
            "format": form,
            "time": {"kind": "order", "row": "row"},
            "channels": [{"name": "x", "quantity": "count", "unit": "1"}],
        }
    )
    read_recordings(source, file, Prepare(), "r.yaml:1")


@pytest.mark.parametrize("key", [key for key in RULES if key.endswith("certificate")])
def test_certificates_give_their_values_and_signatures(real_data: Path, key: str) -> None:
    """The third column: results with so many values, and of how many values U and k are stated."""
    pytest.importorskip("signxml", reason="it is an extra")
    root, sub = (real_data / f"dcc/trusted_certs/{name}.crt" for name in ("root", "sub"))
    for name, _, expected in (entry for entry in entries() if entry[1] == key):
        file, refused = real_data / name, RULES[key].refused
        if refused is not None or key == "trusted certificate":
            with pytest.raises(InputError, match=refused or "is damaged or no XML"):
                read_certificate(file, [root, sub] if refused else [])
            continue
        is_signed = key == "signed certificate"
        told = read_certificate(file, [root, sub] if is_signed else [])
        sizes = Counter(len(one.values) for one in told.results)
        stated = sum(len(one.expanded) for one in told.results)
        found = " ".join(f"{count}*{size}" for size, count in sizes.items())
        assert f"{found} U {stated}" == expected, name
        if told.signature is None:
            assert not is_signed, name
            continue
        # As of today each of these would be rejected: the signer's certificate has ended.
        assert told.signature.time.year in {2022, 2023}
        assert told.signature.is_trusted
        # The sub-authority is what was trusted; the root alone does not lead to the signer.
        with pytest.raises(InputError, match="no trusted certificate leads to the signer"):
            read_certificate(file, [root])


UNREAD = [key for key, rule in RULES.items() if rule.form is None and key != "beside"]


def taken(file: Path, form: str) -> list[str]:
    """Columns of numbers that a reader finds in a file; none where it refuses it in one line."""
    reader = READERS[form]
    needed = {"epts": {"metadata": file.name}, "mat5": {"variables": {"x": "x"}}}
    needed["tracab"] = needed["epts"]
    options = reader.Options.model_validate(needed.get(form, {}))
    message, tables = "", []
    try:
        tables = list(reader.read(file, options))
    except InputError as error:
        message = str(error)
    # Lines of text are a table of text for `csv`; none of it can be a channel.
    assert "\n" not in message
    assert message or form == "csv"
    columns = [(name, values) for table in tables for name, values in table.columns.items()]
    return [name for name, values in columns if values.dtype.kind in "iuf"]


@pytest.mark.parametrize("form", [form for form in READERS if form not in SLOW_TO_REFUSE])
def test_no_reader_takes_what_is_no_recording(real_data: Path, form: str) -> None:
    names = [name for name, rule, _ in entries() if rule in UNREAD]
    assert not [name for name in names if taken(real_data / name, form)]


@pytest.mark.parametrize("form", sorted(SLOW_TO_REFUSE))
def test_slow_readers_do_not_take_binaries_either(real_data: Path, form: str) -> None:
    reader = READERS[form]
    for name, rule, _ in entries():
        if rule == "no reader" and re.search(r"\.(srd|srm|BIN)$", name):
            with pytest.raises(InputError):
                list(reader.read(real_data / name, reader.Options()))


def test_formats_without_reader_name_a_way_out(real_data: Path) -> None:
    suffixes = {Path(name).suffix[1:].lower() for name, rule, _ in entries() if rule == "no reader"}
    assert suffixes == {"srd", "srm", "slf", "awd", "bin", "fitlog", "sml"}
    for form in WITHOUT_READER:
        with pytest.raises(InputError, match=f"no reader for format {form}") as error:
            ask(real_data / "cmapss/RUL_FD001.txt", form)
        assert f"no kept-up library reads it: {WITHOUT_READER[form]}" in str(error.value)
    assert suffixes - {"bin"} <= set(WITHOUT_READER)
    with pytest.raises(InputError, match="no reader for format crt; use one of csv, text"):
        ask(real_data / "cmapss/RUL_FD001.txt", "crt")
