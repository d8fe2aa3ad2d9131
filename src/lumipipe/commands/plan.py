"""``lumipipe plan``: what a run would do, what more ranks would bring, what is registered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from lumipipe.commands.options import MACHINE, OUT, REQUEST, folder_of, placed, say, say_aside
from lumipipe.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


@click.command("plan")
@REQUEST
@OUT
@MACHINE
@click.option("--scaling", is_flag=True, help="Instead, print what more ranks would bring.")
@click.option("--register", is_flag=True, help="Instead, register the plan of evaluation.")
@click.option("--attempt", type=click.IntRange(min=1), default=1, hidden=True)
@click.option("--record", is_flag=True, hidden=True, help="Log what the terms of use permit.")
@placed
def plan_command(
    request_file: Path,
    out: Path | None,
    *,
    scaling: bool,
    register: bool,
    record: bool,
    **place: Any,
) -> int:
    """Print as JSON what would run, why, and how.

    That is what each verb depends on, why it has to run, and how it is started.
    """
    if scaling:
        return _print_scaling(request_file, out, place)
    if register:
        return _register(request_file, out)
    from lumipipe.tasks.before import check_before
    from lumipipe.tasks.deciding import check_terms, record_decision
    from lumipipe.tasks.plan import plan_run
    from lumipipe.tasks.registered import register as register_plan
    from lumipipe.tasks.request import load_request, placing
    from lumipipe.tasks.starting import Place, with_starts

    loaded = load_request(request_file)
    check_before(loaded, place["machine"], place["target"])
    decision = check_terms(loaded, record=record)
    folder = folder_of(request_file, out).resolve()
    with placing(loaded):
        stages = plan_run(loaded, folder, say_aside)
    plan = with_starts(loaded, stages, folder, Place(**place), say_aside)
    if decision is not None:
        if record:
            record_decision(loaded, folder, decision)
        for line in decision.lines():
            say_aside(line)
    if record:
        register_plan(loaded, stages, folder, say_aside)
    say(json.dumps(plan.as_json(), indent=1))
    return 0


def _register(request_file: Path, out: Path | None) -> int:
    """Register the plan of a request, before anything of it runs."""
    from lumipipe.tasks.before import ask_terms
    from lumipipe.tasks.plan import plan_run
    from lumipipe.tasks.registered import register
    from lumipipe.tasks.request import load_request, placing

    loaded = load_request(request_file)
    folder = folder_of(request_file, out).resolve()
    if not loaded.request.evaluation.plan_signed:
        raise InputError(
            loaded.file.place(("evaluation",)),
            "evaluation.plan_signed is not true, so the request asks for no registered plan",
            "add plan_signed: true",
        )
    ask_terms(loaded, folder, record=True)
    with placing(loaded):
        register(loaded, plan_run(loaded, folder, say_aside), folder, say)
    return 0


def _print_scaling(request_file: Path, out: Path | None, place: dict[str, Any]) -> int:
    """Print what more ranks would bring to a request."""
    from lumipipe.tasks.scaling import scaling_of_request
    from lumipipe.tasks.starting import Place

    folder = folder_of(request_file, out)
    for line in scaling_of_request(request_file, folder, Place(**place), say_aside):
        say(line)
    return 0
