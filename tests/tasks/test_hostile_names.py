"""Names that are markup, formulas or controls: what people open shows them, and runs nothing.

And what a damaged file has lost stands beside the answer.
"""

from __future__ import annotations

import json
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

import lumipipe
from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm
from lumipipe.errors import RecordingError
from lumipipe.reporting.spreadsheet import harmless
from lumipipe.tasks.report import report
from lumipipe.tasks.request import load_request
from running import answer

if TYPE_CHECKING:
    from lumipipe.reporting.result import Result

MARKUP = "\"><script>alert(1)</script><img src=x onerror=alert(2)> {{7*7}} </title> & 'x'"
SOURCE = Path(lumipipe.__file__).parent


def request(folder: Path, name: str, **read: Any) -> Path:
    """A request that monitors two channels of a file; `name` stands wherever one may be chosen."""
    form = {
        "lumipipe_request": 1,
        "id": "names",
        "title": f"Title {name}",
        "question": {
            "decision": f"whether {name} helps",
            "family": "monitoring",
            "unit_of_decision": f"one {name}",
            "not_to_be_used_for": [f"anything but {name}"],
        },
        "data": [
            {
                "id": "log",
                "source": "*.csv",
                "format": "csv",
                "read": {"delimiter": ",", "decimal": "."} | read,
                "recordings": {"column": "who", "unit": "{who}"},
                "time": {"kind": "order", "row": f"one {name}"},
                "channels": [
                    {"name": f"x {name}", "column": "x", "quantity": "power", "unit": "W"},
                    {"name": "y", "quantity": "distance", "unit": "m", "sensor": name},
                ],
            }
        ],
        "rights": {"owner": name, "personal_data": "none"},
        "evaluation": {"split": {"kind": "time", "train_first_rows": 40}},
        "train": {
            "alpha": 0.05,
            "blocks": 4,
            "models": {"main": {"kind": "pca", "components": 1}},
        },
        "compute": {"backend": "numpy"},
    }
    (folder / "request.yaml").write_text(yaml.safe_dump(form), encoding="utf-8")
    return folder / "request.yaml"


def rows(folder: Path, who: str, count: int = 60) -> Path:
    """Rows of one recording, which is called `who`."""
    draw = np.random.default_rng(1)
    quoted = '"{}"'.format(who.replace('"', '""'))
    lines = [f"{quoted},{200 + draw.normal():.4f},{8.0 * n:.1f}" for n in range(count)]
    (folder / "a.csv").write_text("\n".join(["who,x,y", *lines]) + "\n", encoding="utf-8")
    return folder / "a.csv"


def run(path: Path) -> tuple[Result, Path]:
    """The answer, and the folder of what people open."""
    out = path.parent / "out"
    done = answer(path, out)
    report(load_request(path), done.stages, SerialComm(), choose_backend("numpy"), lambda _: None)
    return done.result, out


class Tags(HTMLParser):
    """Counts tags with the names of their attributes, and keeps the text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: Counter[tuple[str, ...]] = Counter()
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[tag, *sorted(key for key, _ in attrs)] += 1

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.slow
def test_markup_in_names_is_text(tmp_path: Path) -> None:
    pages: dict[str, dict[str, Tags]] = {}
    long = "Name " * (len(MARKUP) // 5) + "x"  # as long: short cells do not break their line
    for folder, name in (("plain", long), ("odd", MARKUP)):
        (tmp_path / folder).mkdir()
        rows(tmp_path / folder, name)
        out = run(request(tmp_path / folder, name))[1]
        pages[folder] = {
            page: Tags((out / page).read_text(encoding="utf-8"))
            for page in ("report.html", "dossier.html")
        }
    for page, odd in pages["odd"].items():
        plain = pages["plain"][page]
        assert odd.found == plain.found  # no tag and no attribute more
        assert not any(
            tag == "script" or key.startswith("on")
            for tag, *rest in odd.found
            for key in rest or [""]
        )
        assert MARKUP in " ".join("".join(odd.text).split())
        assert "Name" in "".join(plain.text)


def test_one_module_alone_writes_csv() -> None:
    """Formulas in cells are its matter: whoever writes tables for people calls it."""
    ways = ("csv.writer", "csv.DictWriter", ".to_csv(", "savetxt(")
    writers = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if any(way in path.read_text(encoding="utf-8") for way in ways)
    }
    # A bundle writes numbers, under names that `reporting` has no part in.
    assert writers == {"reporting/spreadsheet.py", "scorer/table.py"}


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\ufeff=1", "\u200b=1", "\uff1d1", " \u00a0=1"],
)
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert harmless(text).startswith("'")


@pytest.mark.parametrize("sign", [";", "\t", "|", "\n"])
def test_a_formula_behind_another_programs_delimiter(sign: str) -> None:
    """Where a list has semicolons, as in Finland, a program cuts this cell in two."""
    found = harmless(f"a{sign} =cmd()")
    assert found == f"a{sign}' =cmd()"
    assert harmless("a; b - c") == "a; b - c"


@pytest.mark.slow
def test_what_was_lost_of_a_damaged_file_stands_beside_the_answer(tmp_path: Path) -> None:
    path = request(tmp_path, "Name")
    file = rows(tmp_path, "Name")
    whole, out = run(path)
    assert whole.left_out == []
    content = file.read_bytes()
    file.write_bytes(content[:-9])
    with pytest.raises(RecordingError, match="the row has 2 cells"):
        run(path)
    path = request(tmp_path, "Name", salvage=True)
    _, out = run(path)
    said = json.loads((out / "result.json").read_text(encoding="utf-8"))
    (lost,) = said["left_out"]
    assert lost["what"] == "the damaged part of Name"
    kept = content[:-9].rindex(b"\n") + 1
    assert lost["reason"] == (
        f"salvaged: {kept} of {len(content) - 9} bytes read, its last line is cut short"
    )
    for page in ("report.html", "dossier.html"):
        assert f"{kept} of {len(content) - 9} bytes read" in (out / page).read_text(
            encoding="utf-8"
        )
