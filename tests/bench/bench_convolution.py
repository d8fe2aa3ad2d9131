"""Random convolutions of windows with the peer's own parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bench.rivals import Race, Rival, peer_module, share_unequal, spans
from lumipipe.kernels.convolution import KERNELS, ConvolutionParameters, proportion_positive

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 256  # windows, as the family `activity` has them unless told otherwise


def signals(windows: int, channels: int, length: int) -> np.ndarray:
    """Random walks with noise: float32 (window, channel, time)."""
    steps = np.random.default_rng(4).standard_normal((windows, channels, length))
    return (0.3 * np.cumsum(steps, axis=2) + steps).astype(np.float32)


def compiled() -> Callable[..., Any]:
    """The loops that the extra ``fast`` compiles."""
    body: Callable[..., Any] = peer_module(
        "lumipipe.kernels.fused.convolution_cpu"
    ).proportion_positive
    return body


def convolve(
    race: Race,
    channels: int,
    target: float,
    body: Callable[..., Any] = proportion_positive,
    how: str = "NumPy",
) -> None:
    length, features = race.size(512, 40), race.size(9_996, 84)
    windows = race.size(2 * CHUNK if channels == 1 else CHUNK, 3)
    x = signals(windows, channels, length)
    collection = peer_module("aeon.transformations.collection.convolution_based")
    peer = collection.MiniRocket(n_kernels=features, random_state=3).fit(x)
    numbers, indices, dilations, counts, biases = peer.parameters
    cuts = np.split(indices, np.cumsum(numbers)[:-1])
    subsets = tuple(tuple(cut.tolist()) for cut in cuts)
    if channels == 1:
        subsets = ((0,),) * (len(KERNELS) * len(dilations))
    parameters = ConvolutionParameters(tuple(dilations.tolist()), tuple(counts.tolist()), subsets)

    def ours() -> np.ndarray:
        found = [
            body(np.ascontiguousarray(x[s].transpose(2, 1, 0)), parameters, biases)
            for s in spans(windows, CHUNK)
        ]
        return np.concatenate(found, axis=1).T

    output = np.ascontiguousarray(x[:CHUNK, 0, :].T)
    repeats = parameters.features * windows // output.shape[1]

    def compare() -> None:
        for bias in np.resize(biases, repeats):
            np.greater(output, bias)

    race(
        f"Random convolutions, {channels} channel(s), {how}",
        f"{windows} windows of {length}, {parameters.features} features",
        ours,
        Rival("aeon MiniRocket (compiled)", lambda: peer.transform(x)),
        Rival("NumPy comparisons", compare),
        # A count may move by a few where an output lies within rounding of its bias.
        lambda a, b: share_unequal(a, b, 1e-6),
        1e-3,
        target=target,
    )


def bench_one_channel(race: Race) -> None:
    convolve(race, 1, 1.0)


def bench_six_channels(race: Race) -> None:
    convolve(race, 6, 1.6)


def bench_one_channel_compiled(race: Race) -> None:
    convolve(race, 1, 2, compiled(), "compiled")


def bench_six_channels_compiled(race: Race) -> None:
    convolve(race, 6, 4, compiled(), "compiled")
