"""From a sample to the price of each stage: seconds by the performance model, units by the bill.

Sampling is in `lumipipe.tasks.quoting.sampling`, the model in `lumipipe.machine.performance`, the
formulae of the bill in `lumipipe.machine.billing`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lumipipe.machine.billing import billed_block, tb_hours
from lumipipe.machine.constants import constants_here, constants_there
from lumipipe.machine.performance import stage_seconds
from lumipipe.tasks.quoting.ceiling import generous_minutes, shortened
from lumipipe.tasks.quoting.extrapolation import kept_bytes, kept_files, peak_bytes, works_of
from lumipipe.tasks.quoting.price import HERE, Quote, StageQuote, Storage, Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lumipipe.machine.constants import Here
    from lumipipe.machine.facts import Machine
    from lumipipe.machine.measured import Constant, Entry
    from lumipipe.machine.performance import Work
    from lumipipe.machine.resources import Block
    from lumipipe.tasks.quoting.costs import Sample
    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.stages import Stage

    Blocks = Callable[[dict[str, int] | None], dict[str, Block]]

# What was not sampled may take more room than what was.
_LARGER = 1.3
_AREA = "scratch"


@dataclass(frozen=True)
class Site:
    """Where a run is to compute, with what is known of it.

    Parameters
    ----------
    machine : Machine
        The machine.
    entries : tuple of Entry
        What was measured there.
    target : str
        Kind of nodes.
    blocks : callable of dict
        The job of each verb, for time limits in minutes by verb; with the longest that are
        allowed for None.
    """

    machine: Machine
    entries: tuple[Entry, ...]
    target: str
    blocks: Blocks


@dataclass(frozen=True)
class Pricing:
    """What the price of a run is made from.

    Parameters
    ----------
    loaded : Loaded
        The request.
    stages : mapping of str to Stage
        Its plan.
    sample : Sample
        What was sampled.
    here : Here
        Where.
    ranks : int
        Ranks of each job.
    """

    loaded: Loaded
    stages: Mapping[str, Stage]
    sample: Sample
    here: Here
    ranks: int

    def on_this_machine(self) -> Quote:
        """The price on this machine: time, storage and files, no units."""
        stages = [self._stage(work, constants_here(self.here)) for work in self._works]
        days = self.loaded.request.compute.kept_days
        storage = Storage(bytes=self._bytes, files=self._files, kept_days=days)
        return self._quote(None, None, stages, storage, [])

    def on(self, site: Site, area: str | None) -> Quote:
        """The price on a machine, with time limits that keep the ceiling if any do.

        Parameters
        ----------
        site : Site
            The machine.
        area : str or None
            Storage area that the run writes to; scratch where None and there is one.

        Returns
        -------
        Quote
            Not compared with the ceiling yet.
        """
        constants = self.constants(site)
        stages = [self._stage(work, constants[work.verb]) for work in self._works]
        blocks = self._jobs(site, {stage.verb: stage.seconds for stage in stages})
        billed = [_billed(stage, blocks[stage.verb], site.machine) for stage in stages]
        taken = [
            Taken(verb=verb, **asdict(constant))
            for verb, several in constants.items()
            for constant in several.values()
        ]
        storage = self._stored(site.machine, area)
        quote = self._quote(site.machine.title, site.target, billed, storage, taken)
        used = {stage.where: site.machine.partitions[stage.where] for stage in billed}
        return quote.model_copy(update={"partitions": used})

    def constants(self, site: Site) -> dict[str, dict[str, Constant]]:
        """Constants of the model for each job."""
        return {
            verb: constants_there(
                site.machine,
                site.entries,
                self.here,
                verb=verb,
                partition=block.partition,
                ranks=self.ranks,
            )
            for verb, block in site.blocks(None).items()
        }

    @property
    def _works(self) -> list[Work]:
        return works_of(self.sample, ranks=self.ranks)

    @property
    def _bytes(self) -> float:
        return kept_bytes(self.sample)

    @property
    def _files(self) -> int:
        return kept_files(self.sample, self.loaded.request.prepare)

    def _stage(self, work: Work, constants: Mapping[str, Constant]) -> StageQuote:
        """The seconds of one stage."""
        expected = stage_seconds(work, self.ranks, constants)
        low, high = (stage_seconds(work, self.ranks, constants, luck).total for luck in (1, -1))
        return StageQuote(
            verb=work.verb,
            done=self.stages[work.verb].is_done,
            where=HERE,
            ranks=self.ranks,
            useful_ranks=min(self.ranks, work.parts),
            seconds=expected.total,
            low_s=low,
            high_s=high,
            parts=asdict(expected),
            peak_bytes=peak_bytes(self.sample)[work.verb],
        )

    def _jobs(self, site: Site, seconds: Mapping[str, float]) -> dict[str, Block]:
        """The jobs with time limits that keep the ceiling, if any do."""
        longest = site.blocks(None)
        minutes = {
            verb: generous_minutes(seconds[verb], block.minutes) for verb, block in longest.items()
        }
        to_pay = {verb: block for verb, block in longest.items() if not self.stages[verb].is_done}
        an_hour = {verb: billed_block(site.machine, to_pay[verb], 3600.0) for verb in to_pay}
        own = {verb: minutes[verb] for verb in to_pay}
        ceiling = self.loaded.request.compute.ceiling
        return site.blocks(minutes | shortened(seconds, own, an_hour, ceiling))

    def _stored(self, machine: Machine, area: str | None) -> Storage:
        """What stays on the machine's storage, and what that costs."""
        days = self.loaded.request.compute.kept_days
        known = area or (_AREA if _AREA in machine.storage else None)
        tb_h = tb_hours(machine, known, self._bytes, 24 * days) if known else 0.0
        return Storage(
            area=known,
            bytes=self._bytes,
            files=self._files,
            files_allowed=machine.storage[known].files if known else None,
            kept_days=days,
            tb_h=tb_h,
            most_tb_h=tb_h if self.sample.is_all else _LARGER * tb_h,
        )

    def _quote(
        self,
        machine: str | None,
        target: str | None,
        stages: list[StageQuote],
        storage: Storage,
        constants: list[Taken],
    ) -> Quote:
        """The price as data."""
        last = self.sample.rounds[-1]
        ceiling = self.loaded.request.compute.ceiling.model_dump(exclude_none=True)
        return Quote(
            machine=machine,
            target=target,
            sampled_files=last.files,
            sampled_bytes=last.raw_bytes,
            raw_files=self.sample.files,
            raw_bytes=self.sample.raw_bytes,
            backend=self.sample.backend,
            stages=stages,
            storage=storage,
            constants=constants,
            ceiling=ceiling,
        )


def _billed(stage: StageQuote, block: Block, machine: Machine) -> StageQuote:
    """A stage with its job and what that costs."""
    expected = billed_block(machine, block, stage.seconds)
    most = billed_block(machine, block, 60.0 * block.minutes)
    return stage.model_copy(
        update={
            "where": block.partition,
            "nodes": block.nodes,
            "minutes": block.minutes,
            "gpu_h": expected.gpu_h,
            "core_h": expected.core_h,
            "most_gpu_h": most.gpu_h,
            "most_core_h": most.core_h,
            "rank_bytes": block.memory_mib * 2**20 // block.tasks_per_node,
        }
    )
