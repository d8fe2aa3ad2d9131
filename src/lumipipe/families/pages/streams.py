"""Which stream of a recording a family looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lumipipe.families.pages.interface import Subject
    from lumipipe.store.dataset import StreamTable


def stream_of(subject: Subject, recording: int) -> StreamTable:
    """The stream with a recording's rows that the family looks at."""
    streams, train = subject.job.dataset.streams, subject.job.train
    wanted = [
        *getattr(train, "models", {}),
        getattr(train, "stream", None),
        getattr(getattr(train, "classifier", None), "stream", None),
    ]
    named = [streams[name] for name in wanted if name in streams]
    tables = (*named, *streams.values())
    # A recording that was taken out has rows in none.
    return next((table for table in tables if int(table.rows[recording]) > 0), tables[0])
