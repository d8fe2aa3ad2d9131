"""What all rules share: the plan, the paths in it, and the command line of a verb.

The plan names each stage's manifest after the digest of everything that the stage depends on.
So a manifest that exists is up to date, and Snakemake has to look at nothing else.
"""

import fcntl
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

PLACE = ("machine", "target", "ranks", "account")  # options of `lumipipe plan`


def setting(name, default=None):
    """The setting `name` of --config."""
    value = config.get(name, default)
    if value is None:
        sys.exit(f"No {name} is given; add --config {name}=...")
    return str(value)


def command(*words):
    """The command line of lumipipe with `words`, quoted; its name may be several words."""
    return f"{setting('lumipipe', 'lumipipe')} {shlex.join(words)}"


def make_plan():
    """The file of the plan, written in one step from what `lumipipe plan` says."""
    out = setting("out")
    file = Path(out, "plan.json")
    # A job that a cluster starts reads this file again and must see the plan of the head process.
    if workflow.is_main_process:
        where = [f"--{name}={config[name]}" for name in PLACE if name in config]
        line = command("plan", setting("request"), "--out", out, *where)
        run = subprocess.run(line, shell=True, stdout=subprocess.PIPE)
        if run.returncode:
            sys.exit(run.returncode)  # it has said why
        draft = Path(f"{file}.{os.getpid()}")
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(run.stdout)
        draft.replace(file)
    return str(file)


PLAN = str(config["plan"]) if "plan" in config else make_plan()
if not os.path.exists(PLAN):
    sys.exit(
        f"There is no plan {PLAN}; write it with: lumipipe plan REQUEST --out FOLDER"
    )
plan = json.loads(Path(PLAN).read_text())
REQUEST = setting("request", plan["request"])
OUT = setting("out", plan["out"])
STAGES = plan["stages"]
# The plan's folder may have moved since; only the last two parts of a manifest's path count.
MANIFESTS = {
    verb: os.path.join(OUT, *Path(stage["manifest"]).parts[-2:])
    for verb, stage in STAGES.items()
}
REASONS = {
    verb: f"{verb}: {stage['reason']}".replace("{", "{{").replace("}", "}}")
    for verb, stage in STAGES.items()
}


def manifests(*verbs):
    """The manifests of `verbs` as inputs whose age does not matter."""
    return [ancient(MANIFESTS[verb]) for verb in verbs]


def call(verb):
    """The command line of `verb`, below the launcher that the plan names for it."""
    line = command(verb, REQUEST, "--out", OUT, "--plan", PLAN)
    return f"{STAGES[verb]['launcher']} {line}".strip()


def asked(verb):
    """What the plan has a scheduler asked for; nothing where there is none."""
    return STAGES[verb]["resources"]


def hold(folder):
    """Refuse a second run into `folder`; the system frees the lock when this process ends."""
    global held
    held = open(Path(folder, ".lock"), "w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"Another run writes to {folder}; wait for it or end it")
