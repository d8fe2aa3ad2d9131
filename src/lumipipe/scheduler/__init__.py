"""The Slurm seam of the head process: nothing else calls squeue, scontrol, sacct or scancel.

`asking` runs a command of Slurm, `queue` says what state jobs are in, `record` knows which jobs
a run has, `head` which process drives it, `waiting` lets a new head wait for the old one's
jobs, `cancelling` ends them, `accounting` says what Slurm allocated. Jobs are submitted by
Snakemake through ``workflow/bin/sbatch``. Import from the modules.
"""
