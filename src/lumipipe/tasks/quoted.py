"""The verb `request quote`: a short table and a few sentences, to be said yes or no to.

The quote itself is made in `lumipipe.tasks.quote`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lumipipe.machine.facts import check_personal_data, load_machine
from lumipipe.tasks.before import check_before, check_deadline
from lumipipe.tasks.deciding import check_terms
from lumipipe.tasks.plan import plan_run
from lumipipe.tasks.quote import quote_for, site_of
from lumipipe.tasks.quoting.ceiling import NAMES, totals
from lumipipe.tasks.request import load_request, placing
from lumipipe.tasks.starting import blocks_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lumipipe.machine.facts import Machine
    from lumipipe.tasks.quoting.price import Quote, StageQuote
    from lumipipe.tasks.quoting.pricing import Site
    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.starting import Place

    Log = Callable[[str], None]

_MINUTE_S, _HOUR_S = 60, 3600
_FEW_S = 10
_WHOLE = 1000  # from here three digits would cut off whole units
_HEAD = ("stage", "where", "nodes x ranks", "expected", "limit", "cost expected", "at most")


def quote_request(request: Path, out: Path, place: Place, log: Log) -> list[str]:
    """The lines of the quote of a request.

    Parameters
    ----------
    request : Path
        The YAML file.
    out : Path
        Folder of the run, where the quote is kept.
    place : Place
        Where it is to compute; no account is needed.
    log : callable of str
        Progress.

    Returns
    -------
    list of str
        As `quote_lines` gives them.

    Raises
    ------
    InputError
        If the request or its data are wrong, the machine cannot run it, or it costs too much.
    """
    loaded, folder = load_request(request), out.resolve()
    check_before(loaded, place.machine, place.target)
    check_deadline(loaded)
    check_terms(loaded)
    with placing(loaded):
        stages = plan_run(loaded, folder, log)
        site = None if place.machine is None else asked_site(loaded, place)
        ranks = place.ranks or loaded.request.compute.ranks
        return quote_lines(quote_for(loaded, stages, folder, site, ranks, log))


def asked_site(loaded: Loaded, place: Place) -> Site:
    """The machine that somebody asks about, who needs no account for that."""
    assert place.machine is not None
    machine = _without_account(load_machine(place.machine))
    rights = loaded.file.place(("rights", "personal_data"))
    check_personal_data(machine, loaded.request.rights.personal_data, rights)
    blocks = partial(blocks_of, loaded, machine, place)
    target = place.target or loaded.request.compute.target
    return site_of(place.machine, machine, target, lambda minutes: blocks(minutes=minutes))


def _without_account(machine: Machine) -> Machine:
    """The machine, as if it asked for no project."""
    account = machine.account.model_copy(update={"required": False})
    return machine.model_copy(update={"account": account})


def quote_lines(quote: Quote) -> list[str]:
    """The lines of a quote.

    Parameters
    ----------
    quote : Quote
        The price of a run.

    Returns
    -------
    list of str
        A table of the stages, totals, the ceiling and whether it is kept, what was sampled, and
        what is assumed.
    """
    return [*_table(quote), "", *_totals(quote), *_sampled(quote), *_assumed(quote), *_notes(quote)]


def duration(seconds: float) -> str:
    """Seconds in words: 8.3 s, 95 s, 12 min, 3.5 h."""
    if seconds < _FEW_S:
        return f"{seconds:.1f} s"
    if seconds < 2 * _MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    return f"{seconds / _HOUR_S:.1f} h"


def amount(value: float) -> str:
    """A number of units in three digits, or whole."""
    return f"{value:.3g}" if abs(value) < _WHOLE else f"{value:,.0f}"


def size(value: float) -> str:
    """Bytes in words, decimal."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value / 1e3:.3g} kB"


def _table(quote: Quote) -> list[str]:
    """One line a stage."""
    rows: list[tuple[str, ...]] = [_HEAD if quote.machine else _HEAD[:4]]
    rows += [_row(quote, stage) for stage in quote.stages]
    return aligned(rows)


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows of a table with their columns below one another."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(quote: Quote, stage: StageQuote) -> tuple[str, ...]:
    """The cells of one stage."""
    ranks = f"{stage.nodes} x {stage.ranks // stage.nodes}"
    if stage.done:
        return (stage.verb, stage.where, ranks, "done", "-", "-", "-")[: 7 if quote.machine else 4]
    expected = f"{duration(stage.seconds)} ({duration(stage.low_s)} to {duration(stage.high_s)})"
    if not quote.machine:
        return stage.verb, stage.where, ranks, expected
    costs = [
        " + ".join(
            f"{amount(value)} {NAMES[unit]}"
            for unit in ("gpu_h", "core_h")
            if (value := getattr(stage, prefix + unit))
        )
        for prefix in ("", "most_")
    ]
    return stage.verb, stage.where, ranks, expected, f"{stage.minutes} min", *costs


def _totals(quote: Quote) -> Iterator[str]:
    """Totals, with the ceiling of each unit."""
    seconds = [quote.total(name) for name in ("seconds", "low_s", "high_s")]
    expected, low, high = (duration(value) for value in seconds)
    waiting = ", without waiting in the queue" if quote.machine else ""
    yield f"time     {expected} expected ({low} to {high}){waiting}"
    for unit, name in NAMES.items():
        value, most = totals(quote, unit)
        allowed = quote.ceiling.get(unit)
        if quote.machine and (value or most or allowed is not None):
            told = "no ceiling" if allowed is None else f"ceiling {amount(allowed)}, kept"
            yield f"{name:8s} {amount(value)} expected, {amount(most)} at most; {told}"
    if quote.ceiling and not quote.machine:
        yield "ceiling  this machine bills nothing, so it is not compared"
    storage = quote.storage
    where = f" on {storage.area}, kept {storage.kept_days:g} days" if quote.machine else ""
    yield f"storage  {size(storage.bytes)}{where}"
    share = (
        f" of {storage.files_allowed:,} that the project may have" if storage.files_allowed else ""
    )
    yield f"files    {storage.files:,}{share}"


def _sampled(quote: Quote) -> Iterator[str]:
    """What was sampled."""
    if quote.sampled_bytes == quote.raw_bytes:
        what = "all data were run once"
    else:
        share = 100 * quote.sampled_bytes / quote.raw_bytes
        what = (
            f"{size(quote.sampled_bytes)} in {quote.sampled_files} of {quote.raw_files} files "
            f"({share:.2g} % of {size(quote.raw_bytes)})"
        )
    yield f"sample   {what}, here, on one rank ({quote.backend})"


def _assumed(quote: Quote) -> Iterator[str]:
    """The constants that were not measured on the machine, in one line."""
    found = {item.name: item.value for item in quote.constants if not item.is_measured}
    if found:
        told = ", ".join(f"{name} {value:.3g}" for name, value in found.items())
        yield f"assumed  not measured there: {told} (sources and ranges: quote.json)"


def _notes(quote: Quote) -> Iterator[str]:
    """What else is to be known."""
    return (f"note     {note}" for note in quote.notes)
