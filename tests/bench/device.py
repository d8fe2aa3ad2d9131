"""What the kernels do on a device: rates, shares of the device's own limits, distance from NumPy.

``pytest -m gpu tests/bench/test_device.py`` prints it; ``LUMIPIPE_DEVICE_TABLE=FILE`` keeps it.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.made import correlated, vibration
from lumipipe.kernels.convolution import KERNELS, ConvolutionParameters, dilation_plan
from lumipipe.kernels.distance import assign_sums
from lumipipe.kernels.fourier import fourier_features
from lumipipe.kernels.fused.convolution import proportion_positive
from lumipipe.kernels.moments import comoments, moments, pair_comoments
from lumipipe.kernels.spectra import squared_envelope_spectrum, welch_sums
from lumipipe.models.pca import distances, fit_pca, for_rows
from lumipipe.timing import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lumipipe.backend import Array, Backend

ROUNDS = 5
RATE_HZ = 12_000.0


@dataclass(frozen=True)
class Case:
    """One kernel on its data.

    Parameters
    ----------
    name : str
        What is computed.
    arrays : tuple of ndarray
        Its arguments that live on the device.
    run : callable of arrays
        Returns an array, or a dict of them.
    flops : float
        Operations of floats in it; 0 where bytes are the limit.
    """

    name: str
    arrays: tuple[np.ndarray, ...]
    run: Callable[..., Any]
    flops: float = 0.0


def cases(scale: float) -> Iterator[Case]:
    """All kernels; a scale of 1 has rows of some hundred megabytes."""
    rows, d = max(64, int(2e6 * scale)), 64
    x = correlated(rows, d, offset=100.0)
    gaps = x.copy()
    gaps[::97, 3] = np.nan
    flops = 2.0 * rows * d * d
    yield Case("moments of channels", (x,), moments)
    yield Case("cross-products, float32", (x,), comoments, flops)
    yield Case("cross-products, float64", (x.astype(np.float64),), comoments, flops)
    yield Case("cross-products of pairs, gaps", (gaps,), pair_comoments, 3 * flops)
    model = for_rows(fit_pca(pair_comoments(x[:5000].astype(float)), 8), x.dtype)
    names = sorted(model)
    yield Case(
        "T² and SPE, 8 components",
        (x, *(model[name] for name in names)),
        lambda rows, *parts: distances(dict(zip(names, parts, strict=True)), rows),
        4.0 * rows * d * 9,
    )
    yield Case("sums of 16 clusters", (x, x[:16].copy()), assign_sums, 4.0 * rows * d * 16)
    windows = max(2, int(4096 * scale))
    parameters = ConvolutionParameters(*dilation_plan(512, 9996), ())
    subsets = tuple((k % 6,) for k in range(len(KERNELS) * len(parameters.dilations)))
    parameters = ConvolutionParameters(parameters.dilations, parameters.biases_per_kernel, subsets)
    series = vibration(512 * windows, 6).reshape(windows, 512, 6).transpose(1, 2, 0).copy()
    biases = np.linspace(-3, 3, parameters.features, dtype=np.float32)
    yield Case(
        "random convolutions, 6 channels",
        (series, biases),
        lambda x, b: proportion_positive(x, parameters, b),
        windows * 512.0 * (parameters.features + 3 * len(subsets)),
    )
    few, features = max(64, int(2e5 * scale)), 1024
    frequencies = np.random.default_rng(1).standard_normal((d, features), dtype=np.float32) / 8
    yield Case(
        "random Fourier features",
        (x[:few], frequencies, np.zeros(features, np.float32)),
        fourier_features,
        2.0 * few * d * features,
    )
    samples = vibration(max(2**14, int(2**25 * scale)))
    yield Case(
        "Welch, segments of 1024",
        (samples,),
        lambda x: welch_sums(x[:, None, :], RATE_HZ, 1024, 512),
    )
    yield Case(
        "squared envelope of a sixth of the band",
        (samples,),
        lambda x: squared_envelope_spectrum(x[:, None, :], RATE_HZ, (1000.0, 2000.0)),
    )


def parts(found: Any) -> list[Array]:
    """The arrays of a result."""
    return list(found.values()) if isinstance(found, dict) else [found]


def seconds(backend: Backend, run: Callable[[], Any]) -> float:
    """Median time of a call, to the moment when the host could have its result."""

    def once() -> float:
        start = time.perf_counter()
        found = parts(run())
        backend.to_host(backend.xp.reshape(found[-1], (-1,))[:1])
        return time.perf_counter() - start

    once()
    return statistics.median(once() for _ in range(ROUNDS))


def difference(backend: Backend, found: Any, expected: Any) -> float:
    """Largest difference, relative to the largest size of each array of the result."""
    worst = 0.0
    for one, other in zip(parts(found), parts(expected), strict=True):
        host, wide = np.asarray(backend.to_host(one), float), np.asarray(other, float)
        size = np.max(np.abs(wide), initial=0.0) or 1.0
        worst = max(worst, float(np.max(np.abs(host - wide), initial=0.0)) / size)
    return worst


def limits(backend: Backend, scale: float) -> dict[str, float]:
    """The device's own rates: bytes a second of a copy and of a load, flops of products."""
    xp, n = backend.xp, max(64, int(4096 * scale))
    host = np.ones(max(2**16, int(2**27 * scale)), np.float32)
    x = backend.asarray(host)
    found = {
        "copy": 2 * host.nbytes / seconds(backend, lambda: x + 1.0),
        "load": host.nbytes / seconds(backend, lambda: backend.load(host)),
    }
    for dtype in (np.float32, np.float64):
        a = backend.asarray(np.ones((n, n), dtype))
        found[np.dtype(dtype).name] = 2.0 * n**3 / seconds(backend, lambda a=a: xp.matmul(a, a))
    return found


def table(backend: Backend, scale: float) -> tuple[str, dict[str, float]]:
    """The table as markdown, and the difference of each kernel to NumPy."""
    own = limits(backend, scale)
    told = ", ".join(f"{name} {version}" for name, version in versions().items())
    lines = [
        f"- {backend.device}; {told}",
        f"- copy {own['copy'] / 1e9:.3g} GB/s, load from the host {own['load'] / 1e9:.3g} GB/s",
        f"- products float32 {own['float32'] / 1e9:.3g}, float64 {own['float64'] / 1e9:.3g} GF/s",
        f"- {ROUNDS} rounds after a warm-up, medians; GB/s are of the rows that are read",
        "",
        "| kernel | MB | ms | GB/s | of a copy | GF/s | of products | differs by |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    differ = {}
    for case in cases(scale):
        there = [backend.asarray(array) for array in case.arrays]
        took = seconds(backend, lambda case=case, there=there: case.run(*there))
        differ[case.name] = difference(backend, case.run(*there), case.run(*case.arrays))
        nbytes, flops = case.arrays[0].nbytes, case.flops / took
        cells = [
            case.name,
            f"{nbytes / 1e6:.3g}",
            f"{took * 1e3:.3g}",
            f"{nbytes / took / 1e9:.3g}",
        ]
        cells += [f"{nbytes / took / own['copy']:.2g}"]
        limit = own[case.arrays[0].dtype.name]
        cells += [f"{flops / 1e9:.3g}", f"{flops / limit:.2g}"] if flops else ["–", "–"]
        lines.append("| " + " | ".join([*cells, f"{differ[case.name]:.1g}"]) + " |")
        backend.free()
    return "\n".join([*lines, ""]), differ
