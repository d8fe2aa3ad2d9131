"""What is known about a machine as data, and the arithmetic on it.

A machine is a folder: its partitions, nodes, storage and prices stand in ``machine.yaml``, and
nothing here knows any of their names. No processes and no arrays; who asks Slurm is
`lumipipe.scheduler`.
"""
