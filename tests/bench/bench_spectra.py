"""Averaged spectra and squared envelopes."""

from __future__ import annotations

import numpy as np

from bench.made import vibration
from bench.rivals import Race, Rival, peer_module, relative, spans
from lumipipe.kernels.spectra import squared_envelope_spectrum, welch_sums

RATE_HZ, SEGMENT = 12_000.0, 1024


def bench_welch(race: Race) -> None:
    signal = peer_module("scipy.signal")
    samples, block = race.size(2**22, 2**14), race.size(2**16, 2**13)
    x = vibration(samples)
    frames = np.ascontiguousarray(x[: block // SEGMENT * SEGMENT].reshape(-1, SEGMENT))
    # Blocks share half a segment, so that together they have the segments of the whole.
    parts = [slice(s.start, s.stop + SEGMENT // 2) for s in spans(samples, block)]
    counts = [(min(p.stop, samples) - p.start - SEGMENT) // (SEGMENT // 2) + 1 for p in parts]

    def ours() -> np.ndarray:
        sums = welch_sums(x[:, :, None], RATE_HZ, SEGMENT, SEGMENT // 2)
        return (sums["power"] / sums["count"])[:, 0, 0]

    def peer() -> np.ndarray:
        total = sum(
            count * signal.welch(x[part, 0], RATE_HZ, nperseg=SEGMENT)[1].astype(np.float64)
            for part, count in zip(parts, counts, strict=True)
        )
        return total / sum(counts)

    race(
        "Welch's spectrum, segments of 1024, half overlap",
        f"{samples} samples float32",
        ours,
        Rival("scipy.signal.welch in blocks that fit a cache", peer),
        Rival("numpy.fft.rfft", lambda: [np.fft.rfft(frames) for _ in range(2 * len(parts))]),
        relative,
        1e-5,
        target=3,
    )


def bench_squared_envelope(race: Race) -> None:
    samples = race.size(2**20, 2**12)
    x, band = vibration(samples, 1)[:, 0], (2000.0, 3000.0)
    first = int(np.ceil(band[0] * samples / RATE_HZ))
    stop = int(np.floor(band[1] * samples / RATE_HZ)) + 1

    def peer() -> np.ndarray:
        """The analytic signal of the band at full length."""
        spectrum = np.zeros(samples, dtype=np.complex64)
        spectrum[first:stop] = 2 * np.fft.rfft(x)[first:stop]
        analytic = np.fft.ifft(spectrum)
        squared = analytic.real**2 + analytic.imag**2
        return np.abs(np.fft.rfft(squared)[: stop - first]) / samples

    race(
        "Spectrum of the squared envelope of a sixth of the band",
        f"{samples} samples float32",
        lambda: squared_envelope_spectrum(x, RATE_HZ, band),
        Rival("the same at full length, numpy.fft", peer),
        Rival("numpy.fft.rfft", lambda: np.fft.rfft(x)),
        relative,
        1e-5,
        target=3,
    )
