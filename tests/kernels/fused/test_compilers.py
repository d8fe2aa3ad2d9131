from __future__ import annotations

import os
import shutil
import subprocess
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pytest

from lumipipe.kernels import fused
from lumipipe.kernels.fused import convolution

HIPCC = Path(__file__).with_name("hipcc.sh")
NOT_HERE = 77  # how it ends where hipcc is missing and cannot be installed
OPTIONS = {
    f"convolution-{dtype}": ("convolution", convolution._options(np.empty(0, dtype)))
    for dtype in ("float32", "float64")
}


def assembly(compiler, name, folder):
    """What a compiler makes of a source, as text."""
    out = folder / "out"
    source, options = OPTIONS[name]
    with as_file(files(fused) / f"{source}.cu") as text:
        subprocess.run(
            [*compiler, *options, "-o", out, text],
            check=True,
            env={**os.environ, "HIP_PLATFORM": "amd"},  # else hipcc takes an nvcc that it finds
        )
    return out.read_text(encoding="utf-8")


@pytest.mark.slow  # may install hipcc
@pytest.mark.parametrize("name", OPTIONS)
def test_gfx90a(name, tmp_path):
    hipcc = subprocess.run([HIPCC], check=False, capture_output=True, text=True)
    if hipcc.returncode == NOT_HERE:
        pytest.skip(hipcc.stderr.strip().splitlines()[-1])
    assert hipcc.returncode == 0, hipcc.stderr
    # hipRTC has the runtime's header in itself.
    to_text = "-x hip -include hip/hip_runtime.h --offload-arch=gfx90a --cuda-device-only -S -O3"
    found = assembly([hipcc.stdout.strip(), *to_text.split()], name, tmp_path)
    assert ".amdhsa_kernel proportion_positive" in found
    assert ".wavefront_size: 64" in found
    assert ".vgpr_spill_count: 0" in found


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc here")
@pytest.mark.parametrize("name", OPTIONS)
def test_sm_90(name, tmp_path):
    found = assembly(["nvcc", "-arch=sm_90", "-ptx"], name, tmp_path)
    assert ".entry proportion_positive(" in found
    assert "fma." not in found  # nothing to contract, by flags that permit it
    assert "div.rn.f32" in found
