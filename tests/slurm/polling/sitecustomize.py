"""Slurm is asked every other second and patience is short; nothing else about a run is changed.

Stands on the PYTHONPATH of head processes in tests. The plugin's own pauses grow by 10 s with
each look that finds nothing ended, which is right for hours of computing and not for seconds.
"""

import sys

PAUSE_S = 1.5
LOOK_S, UNNOTICED_S = 5.0, 60.0

if "snakemake" in sys.orig_argv:
    from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

    RemoteExecutor.next_seconds_between_status_checks = property(
        lambda _: PAUSE_S, lambda _, value: None
    )
elif len(sys.orig_argv) > 1 and sys.orig_argv[1].endswith("/bin/lumipipe"):
    import lumipipe.tasks.workflow

    lumipipe.tasks.workflow.LOOK_S = LOOK_S
    lumipipe.tasks.workflow.UNNOTICED_S = UNNOTICED_S
