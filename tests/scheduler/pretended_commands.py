"""squeue, scontrol, sacct, scancel, sinfo and sbatch of a cluster that is a JSON file.

What they print was copied from Slurm 22.05. Standard library only: each call of each command
starts an interpreter, so no pathlib either.
"""

# ruff: noqa: PTH100, PTH118, PTH123

from __future__ import annotations

import json
import os
import pwd
import sys

ME = pwd.getpwuid(os.getuid()).pw_name


def _main() -> int:
    folder, command = os.path.split(os.path.abspath(__file__))
    file, words = os.path.join(folder, "..", "cluster.json"), sys.argv[1:]
    with open(os.path.join(folder, "..", "calls.jsonl"), "a") as calls:
        calls.write(json.dumps([command, *words]) + "\n")
    with open(file) as text:
        cluster = json.load(text)
    code = _answer(cluster, command, words)
    with open(file, "w") as text:
        json.dump(cluster, text)
    return code


def _answer(cluster: dict, command: str, words: list[str]) -> int:
    if cluster["silent"].get(command, 0) > 0:
        cluster["silent"][command] -= 1
        return _fail(f"{command}: error: Unable to contact slurm controller (connect failure)")
    if command in cluster.get("banner", []):
        print("This service is being maintained.")
        return 0
    return globals()[f"_{command}"](cluster, words)


def _fail(line: str, code: int = 1) -> int:
    print(line, file=sys.stderr)
    return code


def _value(words: list[str], name: str) -> str:
    return words[words.index(name) + 1] if name in words else ""


def _squeue(cluster: dict, words: list[str]) -> int:
    known = [job for job in cluster["jobs"].values() if job["queue"]]
    if "-j" in words:
        ids = _value(words, "-j").split(",")
        known = [j for j in known if j["id"] in ids or j["id"].split("_")[0] in ids]
        if not known and len(ids) == 1:
            return _fail("slurm_load_jobs error: Invalid job id specified")
    users = _value(words, "-u").split(",") if "-u" in words else [ME] if "--me" in words else []
    for job in known:
        if not users or job["user"] in users:
            texts = job["id"], job["state"], job.get("reason", "None"), job.get("time", "0:07")
            more = job.get("partition", "small"), job["user"], job["name"], job["comment"]
            print("|".join((*texts, *more)))
    return 0


def _scontrol(cluster: dict, words: list[str]) -> int:
    job = cluster["jobs"].get(words[-1])
    if job is None or not job["queue"]:
        return _fail("slurm_load_jobs error: Invalid job id specified")
    print(
        f"JobId={job['id']} JobName={job['name']} UserId={job['user']}(0) GroupId=x(0) "
        f"JobState={job['state']} Reason={job.get('reason', 'None')} "
        f"Restarts={job.get('restarts', 0)} ExitCode={job.get('code', '0:0')} "
        f"RunTime={job.get('time', '00:00:07')} Partition={job.get('partition', 'small')} "
        f"TRES={job.get('tres', '')} JOB_GRES={job.get('gres', '(null)')} Command=a b=c "
        f"Comment={job['comment']} StdOut=/logs/{job['id']}.log Power="
    )
    return 0


def _sacct(cluster: dict, words: list[str]) -> int:
    for id_ in _value(words, "-j").split(","):
        job = cluster["jobs"].get(id_)
        if job is None or not job["accounted"]:
            continue
        runs = job.get("runs", [[job["state"], 7]]) if "-D" in words else [[job["state"], 7]]
        for state, elapsed in runs:
            columns = {
                "JobID": id_,
                "State": state,
                "Reason": job.get("reason", "None"),
                "ElapsedRaw": str(elapsed),
                "Partition": job.get("partition", "small"),
                "User": job["user"],
                "ExitCode": job.get("code", "0:0"),
                "AllocTRES": job.get("tres", ""),
                "ConsumedEnergyRaw": job.get("joules", "0"),
                "JobName": job["name"],
            }
            print("|".join(columns[name] for name in _value(words, "-o").split(",")))
    return 0


def _scancel(cluster: dict, words: list[str]) -> int:
    if cluster.get("strict") and "--quiet" in words:
        return _fail("scancel: unrecognized option '--quiet'")
    for id_ in words:
        if cluster["brittle"].get(id_, 0) > 0:
            cluster["brittle"][id_] -= 1
            return _fail("scancel: error: Socket timed out on send/recv operation")
    code = 0
    for id_ in words:
        if id_ in cluster["stubborn"]:
            code = _fail(f"scancel: error: Kill job error on job id {id_}: Access denied")
        elif id_ in cluster["jobs"]:
            cluster["jobs"][id_]["state"] = cluster.get("after", "CANCELLED")
            cluster.setdefault("cancelled", []).append(id_)
    return code


def _sinfo(cluster: dict, words: list[str]) -> int:
    print(cluster["threads"])
    return 0


def _sbatch(cluster: dict, words: list[str]) -> int:
    script = sys.stdin.read()
    cluster.setdefault("scripts", []).append([words, script, dict(os.environ)])
    if "refuse" in cluster:
        return _fail(cluster["refuse"], 7)
    print(cluster.get("said", "4711"))
    print("sbatch: a word of the site", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
