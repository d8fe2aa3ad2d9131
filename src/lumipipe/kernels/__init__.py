"""Pure functions of arrays: one topic a file, any library of the array API standard.

The few that have a second body, in CUDA and HIP, have it in `lumipipe.kernels.fused`.

No I/O, clock, global randomness or settings lives here; what the functions are used for is in
`lumipipe.features`, `lumipipe.models` and `lumipipe.metrics`.
"""
