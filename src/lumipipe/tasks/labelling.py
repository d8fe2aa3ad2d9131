"""Labels from files of their own, given to the recordings that the raw files held.

How such a file is read is in `lumipipe.readers.labelfiles`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError
from lumipipe.readers.certificatefiles import certificate_digests
from lumipipe.readers.labelfiles import label_digests, label_files, labels_from_file
from lumipipe.store.sharing import agreed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.config import Source
    from lumipipe.store.entries import RecordingEntry
    from lumipipe.store.first_pass import Pieces
    from lumipipe.tasks.reading import Job

    Told = dict[str, dict[str, str]]


def told_labels(job: Job, raw: Pieces) -> tuple[Told, dict[str, dict[str, str]]]:
    """What files of labels say of each recording, and the digests of these files.

    Parameters
    ----------
    job : Job
        A collective call.
    raw : Pieces
        What the raw files held, in the order of sources and files.

    Returns
    -------
    dict of str to dict of str to str
        Identity of a recording to its labels; only of those that have such a label.
    dict of str to dict of str to str
        Source to file to SHA-256, the files of certificates included.

    Raises
    ------
    InputError
        If a file is missing, contradicts itself or another, or does not fit the recordings.
    """

    def read() -> list[Any]:
        told: Told = {}
        digests = {
            source.id: label_digests(source, job.base) | certificate_digests(source, job.base)
            for source in job.request.data
        }
        for source in job.request.data:
            for name, labels in _of_source(job, source, raw).items():
                for identity, label in labels:
                    _add(told.setdefault(identity, {}), name, label, identity, source)
        return [told, digests]

    told, digests = agreed(job.comm, read)
    return told, digests


def with_labels(recordings: Sequence[RecordingEntry], told: Told) -> list[RecordingEntry]:
    """The recordings with the labels that files of labels tell of them.

    Raises
    ------
    InputError
        If a recording has another such label already: declare it in one source.
    """
    labelled = []
    for recording in recordings:
        for name, label in told.get(recording.id, {}).items():
            known = recording.labels.get(name, label)
            if known != label:
                raise InputError(
                    recording.file,
                    f"label {name} of recording {recording.id} is {known} and {label}",
                    "declare the label in one of the sources",
                )
        labels = recording.labels | told.get(recording.id, {})
        labelled.append(replace(recording, labels=labels))
    return labelled


def _of_source(job: Job, source: Source, raw: Pieces) -> dict[str, list[tuple[str, str]]]:
    """For each label with a file: identity and label of each recording of a source."""
    files = label_files(source, job.base)
    entries = [entry for entry in raw.entries if entry.source == source.id] if files else []
    known = [
        {**e.attributes, **e.labels, "recording": e.id, "unit": e.unit, "source": e.source}
        for e in entries
    ]
    bad = [failure for failure in raw.failures if failure.source == source.id]
    found = {}
    for name, file in files.items():
        label, place = source.labels[name], f"source {source.id}: label {name}"
        if bad and label.by is None:
            raise InputError(
                place,
                f"goes by the order of recordings, but {bad[0].id or bad[0].file} cannot be used",
                "mend it, or let a column of the file name the recording: by",
            )
        if job.withdrawn.digests and label.by is None:
            raise InputError(
                place,
                "goes by the order of recordings, and somebody has withdrawn theirs",
                "let a column of the file name the recording: by",
            )
        # The rows of recordings that are left out are spare, but not a mistake.
        spare = bad or job.withdrawn.digests
        lenient = label.model_copy(update={"spare": "leave_out"}) if spare else label
        labels = labels_from_file(lenient, file, known, place)
        found[name] = list(zip([entry.id for entry in entries], labels, strict=True))
    return found


def _add(labels: dict[str, str], name: str, label: str, identity: str, source: Source) -> None:
    """Add a label of a recording, which an earlier source may have told likewise."""
    known = labels.setdefault(name, label)
    if known != label:
        raise InputError(
            f"source {source.id}: label {name}",
            f"is {known} and {label} for recording {identity}",
            "declare the label in one of the sources",
        )
