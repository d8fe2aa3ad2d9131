"""Data that the races run on."""

from __future__ import annotations

import numpy as np


def correlated(rows: int, channels: int, offset: float = 0.0, seed: int = 1) -> np.ndarray:
    """Rows of correlated normal channels of about unit spread: float32 (row, channel)."""
    rng = np.random.default_rng(seed)
    scale = np.linspace(2.0, 0.5, channels, dtype=np.float32)
    x = rng.standard_normal((rows, channels), dtype=np.float32) * scale
    turn = np.linalg.qr(rng.standard_normal((channels, channels)))[0].astype(np.float32)
    x = x @ turn
    x += np.float32(offset)
    return x


def vibration(samples: int, channels: int = 1, seed: int = 3) -> np.ndarray:
    """Noise that a slow tone modulates, with a small offset: float32 (time, channel)."""
    rng = np.random.default_rng(seed)
    time = np.arange(samples, dtype=np.float32)[:, None] / np.float32(12_000)
    tone = 1 + np.cos(2 * np.pi * 90 * time, dtype=np.float32)
    noise = rng.standard_normal((samples, channels), dtype=np.float32)
    return np.asarray(tone * noise + np.float32(0.1), dtype=np.float32)
