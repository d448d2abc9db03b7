"""Data of which a sum that is rounded for each part would have other bits, as arrays and as files; and their bits."""

from __future__ import annotations

import random
import struct
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def unlike_numbers(count: int) -> list[float]:
    """Small ones, and large ones that add up to 0, in no order."""
    chance = random.Random(19)
    few = count // 8
    small = [chance.choice([1.0, -1.0, 0.1, -0.0, 5e-324, chance.uniform(-1, 1)]) for _ in range(count - 2 * few)]
    large = [chance.choice([1e16, 1e16 + 2, 1e100, 2.0**53]) for _ in range(few)]
    listed = [*small, *large, *(-x for x in large)]
    chance.shuffle(listed)
    return listed


def written(folder: Path, columns: Sequence[array[float]]) -> Path:
    """The folder, with a file for each column."""
    for i, column in enumerate(columns):
        (folder / f"{i}.bin").write_bytes(column.tobytes())
    return folder


def bits(value: Any) -> Any:
    """Figures with the sign of a zero."""
    if isinstance(value, tuple):
        return [bits(x) for x in value]
    return struct.pack("<d", value) if isinstance(value, float) else value
