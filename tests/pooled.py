"""Requests of persons at sites, and the pool that they belong to: what tests of the pool run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from command import call
from lumipipe.tasks.stages import VERBS
from lumipipe.tasks.workflow import PLAN
from small_requests import SINES_HZ, activity, write_sines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from command import Said

RIGHTS = {
    "personal_data": "pseudonymous",
    "policy": "club",
    "actor": "club",
    "purpose": "ServiceProvision",
    "pool": "pool",
    "publication": {"model": "company_only"},
}


def persons(folder: Path, names: Iterable[str], **changes: Any) -> Path:
    """A request about persons called SITE-NAME: two exercises each, signals by name."""
    request = activity(
        folder,
        **{
            "rights": RIGHTS,
            "data": {
                0: {
                    "recordings": {
                        "pattern": r"(?P<person>(?P<site>[a-z]+)-[a-z]+)_(?P<exercise>[a-z]+)",
                        "id": "{person}-{exercise}",
                        "unit": "{person}",
                    }
                }
            },
            **changes,
        },
    )
    for old in (folder / "raw").iterdir():
        old.unlink()
    for name in names:
        for exercise, hertz in SINES_HZ.items():
            key = (*name.encode(), len(exercise))
            seconds = 22 + key[-2] % 5
            path = folder / "raw" / f"{name}_{exercise}.csv"
            write_sines(path, hertz + 0.002 * (sum(key) % 100), seconds, key)
    if "pool" not in {path.name for path in folder.iterdir()}:
        assert call("pool", "init", folder / "pool").code == 0
    return request


def run(request: Path) -> Path:
    """The folder of the finished run of a request: what `run` does, without its workflow."""
    out = request.parent / "out"
    said: Said = call("plan", request, "--out", out, "--record")
    assert said.code == 0, said
    out.mkdir(exist_ok=True)
    (out / PLAN).write_text(said.out, encoding="utf-8")
    for verb in VERBS:
        said = call(verb, request, "--out", out, "--plan", out / PLAN)
        assert said.code == 0, said
    return out
