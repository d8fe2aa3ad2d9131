"""The fixture of the races, and the one table at the end."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.rivals import ROUNDS, Outcome, Race
from bench.table import markdown

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTCOMES = pytest.StashKey[list[Outcome]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--table", metavar="FILE", help="write the table of the races here too")


@pytest.fixture
def race(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Race]:
    """A race at full size; needs pytest-benchmark, which only the extra `bench` brings."""
    benchmark = request.getfixturevalue("benchmark")
    race = Race(partial(benchmark.pedantic, rounds=ROUNDS, warmup_rounds=1), tmp_path)
    yield race
    for outcome in race.outcomes:
        benchmark.extra_info[outcome.name] = {
            "ratio": outcome.ratio,
            "fraction_of_limit": outcome.fraction,
            "seconds": outcome.seconds,
        }
    request.config.stash.setdefault(OUTCOMES, []).extend(race.outcomes)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    outcomes = config.stash.get(OUTCOMES, [])
    if not outcomes:
        return
    text = markdown(outcomes)
    terminalreporter.section("ours against peers and limits")
    terminalreporter.write_line(text)
    if config.getoption("--table"):
        Path(config.getoption("--table")).write_text(text, encoding="utf-8")
