"""A command line with lumipipe's contract towards Snakemake and no computation behind it.

A request is a JSON file with one section a verb. `fail` in a section makes its verb end with
that exit code; `wait_s` makes it slow.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path

VERBS = ("prepare", "train", "score", "report")


def plan(request: Path, out: Path) -> dict:
    """The plan of `request`: each key depends on its section and on all earlier keys."""
    sections = json.loads(request.read_text())
    stages: dict[str, dict[str, str]] = {}
    chain = hashlib.sha256()
    for verb in VERBS:
        chain.update(json.dumps(sections[verb], sort_keys=True).encode())
        key = chain.hexdigest()[:16]
        manifest = out / verb / f"{key}.json"
        reason = "up to date" if manifest.exists() else "never made {with these settings}"
        stages[verb] = {"key": key, "manifest": str(manifest), "reason": reason}
        launcher = sections.get("launcher", "") if verb != "report" else ""
        stages[verb] |= {"launcher": launcher, "resources": {}}
    return {"request": str(request), "out": str(out), "stages": stages, "ranks": 1}


def run(verb: str, request: Path, plan_file: Path, log: Path) -> int:
    """Do what the section of `verb` says and write the manifest last, in one step."""
    section = json.loads(request.read_text())[verb]
    with log.open("a") as lines:
        lines.write(f"{verb} begins\n")
    time.sleep(section.get("wait_s", 0))
    if section.get("fail"):
        print(f"{request}: section {verb} fails; take it out", file=sys.stderr)
        return section["fail"]
    manifest = Path(json.loads(plan_file.read_text())["stages"][verb]["manifest"])
    manifest.parent.mkdir(parents=True, exist_ok=True)
    draft = manifest.with_suffix(".draft")
    draft.write_text(json.dumps({"verb": verb}))
    draft.replace(manifest)
    return 0


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=("plan", *VERBS))
    parser.add_argument("request", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--plan", type=Path)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    if given.verb == "plan":
        print(json.dumps(plan(given.request, given.out)))
        return 0
    return run(given.verb, given.request, given.plan, given.log)


if __name__ == "__main__":
    sys.exit(main())
