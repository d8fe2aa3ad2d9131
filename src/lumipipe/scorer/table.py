"""A bundle on the command line: rows of a CSV in, answers as a CSV out."""

from __future__ import annotations

import argparse
import csv
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from lumipipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lumipipe.scorer.bundle import Bundle, Scored

SOME_REFUSED = 3
_HEADER = re.compile(r"\s*(?P<name>.+?)\s*\[(?P<unit>[^\]]+)\]\s*")


def main(words: Sequence[str], load: Callable[[], Bundle]) -> int:
    """Score the rows of a file.

    Parameters
    ----------
    words : sequence of str
        The command line.
    load : callable
        Gives the bundle.

    Returns
    -------
    int
        0: all rows were answered; 2: the input is wrong, told in one line; 3: some rows were
        refused, each with its reason.
    """
    parser = argparse.ArgumentParser(
        prog="score.py",
        description="Score rows with this bundle. A column is called NAME [UNIT]; empty: missing.",
    )
    parser.add_argument("rows", type=Path, help="CSV file with commas and decimal points")
    parser.add_argument("--out", type=Path, help="CSV file for the answers; printed where absent")
    parser.add_argument("--rate-hz", type=float, help="rows per second, where windows are scored")
    asked = parser.parse_args(words)
    try:
        bundle = load()
        wanted = [channel["name"] for channel in bundle.card["model"]["channels"]]
        scored = bundle.score(*read_rows(asked.rows, wanted), asked.rate_hz)
    except InputError as error:
        print(f"score.py: {error}", file=sys.stderr)
        return InputError.exit_code
    if asked.out is None:
        write_rows(sys.stdout, scored)
    else:
        with asked.out.open("w", encoding="utf-8", newline="") as file:
            write_rows(file, scored)
    _tell(bundle, scored)
    return SOME_REFUSED if scored.refused else 0


def _tell(bundle: Bundle, scored: Scored) -> None:
    """Say beside the answers what they are worth."""
    card = bundle.card
    if card["verdict"] != "supported":
        told = card["verdict"].replace("_", " ").upper()
        print(f"score.py: the test of this model said {told}: see card.json", file=sys.stderr)
    if scored.refused:
        total = len(scored.columns["row"])
        print(f"score.py: {scored.refused} of {total} rows were refused", file=sys.stderr)


def read_rows(path: Path, wanted: Sequence[str]) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Columns of a CSV file with their units.

    Parameters
    ----------
    path : Path
        Its first line has ``NAME [UNIT]`` for each column.
    wanted : sequence of str
        Columns to read; others may hold anything.

    Returns
    -------
    columns : dict of str to list of float
        NaN where a cell is empty.
    units : dict of str to str
        Of columns that have one.

    Raises
    ------
    InputError
        If the file cannot be read, or a cell is no number.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(str(path), f"cannot be read ({error})", "give a CSV in UTF-8") from error
    if not lines:
        raise InputError(str(path), "is empty", "give a header and rows")
    columns: dict[str, list[float]] = {}
    units: dict[str, str] = {}
    for place, head in enumerate(lines[0]):
        match = _HEADER.fullmatch(head)
        name = match["name"] if match else head.strip()
        if name in columns:
            raise InputError(f"{path}: column {name}", "is there twice", "keep one of them")
        if match:
            units[name] = match["unit"].strip()
        if name in wanted:
            columns[name] = [_number(path, n, line, place) for n, line in enumerate(lines[1:], 2)]
    return columns, units


def _number(path: Path, number: int, line: Sequence[str], place: int) -> float:
    """The number in a cell; NaN where it is empty."""
    try:
        cell = line[place].strip()
        return float(cell) if cell else float("nan")
    except (IndexError, ValueError) as error:
        problem = f"column {place + 1} is no number" if place < len(line) else "is too short"
        raise InputError(
            f"{path}:{number}", problem, "write numbers with a point, and nothing where missing"
        ) from error


def write_rows(file: TextIO, scored: Scored) -> None:
    """Write answers as CSV, each number with all of its digits; an empty cell is no answer."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(scored.columns)
    for line in zip(*scored.columns.values(), strict=True):
        writer.writerow([_cell(value) for value in line])


def _cell(value: object) -> str:
    """A value as text."""
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else repr(float(value))
    return str(value)
