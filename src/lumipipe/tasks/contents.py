"""What a run consists of, as a list of digests whose own digest is the name of the run's crate.

The report is not in the list, so that it can show the digest; nor is anything that two runs of
equal content may differ in, such as times. The products' digests hold those of the raw files, the
settings and the code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumipipe.store.files import digest_file, digest_of
from lumipipe.store.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lumipipe.tasks.registered import Standing
    from lumipipe.tasks.stages import Stage

FORM = 1
LISTED = ("prepare", "train", "score")


def contents(
    request: Path, products: Mapping[str, str], plan: Standing | None = None
) -> dict[str, Any]:
    """The list: digests of the request, of the registered plan, and of each product.

    Parameters
    ----------
    request : Path
        The request's file.
    products : mapping of str to str
        Verb to the digest of its manifest.
    plan : Standing, optional
        Where the run stands against its registered plan.

    Returns
    -------
    dict
        JSON values.
    """
    return {
        "lumipipe_contents": FORM,
        "request": digest_file(request),
        "plan": plan.plan.sha256 if plan else None,
        "deviations": len(plan.deviations) if plan else 0,
        "products": {verb: products[verb] for verb in LISTED},
    }


def content_digest(request: Path, stages: Mapping[str, Stage], plan: Standing | None = None) -> str:
    """The SHA-256 of the list of a finished run, in canonical JSON.

    Raises
    ------
    StoreError
        If a stage before the report is not done.
    """
    products = {verb: read_manifest(stages[verb].manifest).digest for verb in LISTED}
    return digest_of(contents(request, products, plan))
