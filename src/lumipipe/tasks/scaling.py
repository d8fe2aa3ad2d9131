"""Tables of strong and weak scaling: what more ranks would bring, and what they would cost.

The seconds come from the performance model (`lumipipe.machine.performance`) for the sample of a
request, the jobs and their price from the machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.machine.billing import Units, billed_block
from lumipipe.machine.constants import constants_there
from lumipipe.machine.performance import strong_scaling, weak_scaling
from lumipipe.tasks.plan import plan_run
from lumipipe.tasks.quote import pricing_of
from lumipipe.tasks.quoted import aligned, amount, asked_site, duration
from lumipipe.tasks.quoting.ceiling import NAMES
from lumipipe.tasks.quoting.extrapolation import works_of
from lumipipe.tasks.request import load_request, placing
from lumipipe.tasks.starting import blocks_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lumipipe.machine.measured import Constant
    from lumipipe.machine.performance import Scaled, Work
    from lumipipe.machine.resources import Block
    from lumipipe.tasks.quoting.pricing import Pricing, Site
    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.starting import Place

MOST_RANKS = 8192
_PAYS = 0.5  # below half a rank's worth of work from each rank, most of the price is waiting
_HEAD = ("ranks", "nodes", "prepare", "train", "score", "in all", "speed-up", "efficiency", "cost")


def scaling_of_request(
    request: Path, out: Path, place: Place, log: Callable[[str], None]
) -> list[str]:
    """The lines of both tables for a request on a machine.

    Parameters
    ----------
    request : Path
        The YAML file.
    out : Path
        Folder of the run, where the sample is kept.
    place : Place
        The machine and the target; no account is needed.
    log : callable of str
        Progress.

    Returns
    -------
    list of str
        As `Scaling.lines` gives them.

    Raises
    ------
    InputError
        If no machine is given, or the request or its data are wrong.
    """
    if place.machine is None:
        raise InputError("--scaling", "no machine is given", "add --machine FOLDER")
    loaded, folder = load_request(request), out.resolve()
    with placing(loaded):
        site = asked_site(loaded, place)
        pricing = pricing_of(loaded, plan_run(loaded, folder, log), folder, 1, log)
        jobs = {
            ranks: _jobs(loaded, site, replace(place, ranks=ranks)) for ranks in _powers(MOST_RANKS)
        }
        return Scaling(pricing, site, jobs).lines()


def _jobs(loaded: Loaded, site: Site, place: Place) -> dict[str, Block] | None:
    """The jobs of so many ranks; None where the target does not take them."""
    try:
        return blocks_of(loaded, site.machine, place)
    except InputError:
        return None


@dataclass(frozen=True)
class Scaling:
    """What more ranks would bring to a request on a machine.

    Parameters
    ----------
    pricing : Pricing
        The sample of the request.
    site : Site
        The machine.
    jobs : dict of int to dict of str to Block, or None
        The jobs of each number of ranks; None where the target does not take them.
    """

    pricing: Pricing
    site: Site
    jobs: Mapping[int, dict[str, Block] | None]

    def lines(self) -> list[str]:
        """Both tables, and from where on more ranks do not pay."""
        works = self._works(1)
        useful = max(work.parts for work in works)
        counts = [ranks for ranks in self.jobs if ranks <= 2 * useful]
        strong = strong_scaling(works, counts, self._constants)
        weak = weak_scaling(self._works, list(self.jobs), self._constants)
        return [
            "the same data on more ranks",
            *aligned([_HEAD, *(self._row(item) for item in strong)]),
            *self._advice(works, strong),
            "",
            "as many times the data as there are ranks",
            *aligned([_HEAD, *(self._row(item) for item in weak)]),
        ]

    def _works(self, times: int) -> list[Work]:
        return works_of(self.pricing.sample, float(times), max(self.jobs))

    def _constants(self, verb: str, ranks: int) -> Mapping[str, Constant]:
        site, blocks = self.site, self.jobs[ranks]
        first = site.machine.targets[site.target].partitions(verb)[0]
        return constants_there(
            site.machine,
            site.entries,
            self.pricing.here,
            verb=verb,
            partition=blocks[verb].partition if blocks else first,
            ranks=ranks,
        )

    def _row(self, item: Scaled) -> tuple[str, ...]:
        """One line of a table."""
        blocks = self.jobs[item.ranks]
        nodes, cost = "-", "not on this target"
        if blocks is not None:
            nodes = str(max(block.nodes for block in blocks.values()))
            units = [
                billed_block(self.site.machine, blocks[verb], seconds)
                for verb, seconds in item.seconds.items()
            ]
            cost = _price(sum(units, Units()))
        return (
            str(item.ranks),
            nodes,
            *(duration(seconds) for seconds in item.seconds.values()),
            duration(sum(item.seconds.values())),
            f"{item.speed_up:.3g}",
            f"{item.efficiency:.0%}",
            cost,
        )

    def _advice(self, works: Sequence[Work], rows: Sequence[Scaled]) -> list[str]:
        """From where on more ranks do not pay, and why."""
        parts = ", ".join(f"{work.verb} {work.parts}" for work in works)
        fastest = min(rows, key=lambda row: sum(row.seconds.values()))
        paying = [row.ranks for row in rows if row.efficiency >= _PAYS]
        limits = f"work is cut into so many parts, and no more ranks find any: {parts}"
        pays = (
            f"up to {max(paying)} rank(s) each gives at least {_PAYS:.0%} of its time to the work"
        )
        lines = [limits, f"{pays}; {fastest.ranks} are fastest"]
        if len(self.pricing.sample.rounds) == 1:
            lines.append(
                "one sample alone: fitting and judging are taken not to grow with the data"
            )
        return lines


def _powers(most: int) -> list[int]:
    """1, 2, 4, ... up to `most`."""
    return [1 << power for power in range(most.bit_length())]


def _price(units: Units) -> str:
    """Units in words."""
    found = {unit: getattr(units, unit) for unit in ("gpu_h", "core_h")}
    return " + ".join(f"{amount(value)} {NAMES[unit]}" for unit, value in found.items() if value)
