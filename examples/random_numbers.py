"""Random numbers without NumPy, from a counter: the n-th is computed from n, so any part can be had by itself.

See docs/cookbook-random.md. The generator is SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, Fast splittable
pseudorandom number generators, OOPSLA 2014): a counter that moves by an odd constant, mixed so that all its bits depend
on each other. Good for simulations and test data, not for secrets.
"""

from __future__ import annotations

import math
from array import array

import arrayops as ao

GAMMA, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1

_STATE = ao.compile(f"((x + start + 1) * {GAMMA:#x} + seed) & {MASK:#x}")
_MIX = (
    ao.compile(f"((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & {MASK:#x}"),
    ao.compile(f"((x ^ (x >> 27)) * 0x94D049BB133111EB) & {MASK:#x}"),
    ao.compile("x ^ (x >> 31)"),
)
_UNIT = ao.compile("(x >> 11) * 2**-53")


def words(seed: int, count: int, start: int = 0) -> array[int]:
    """count numbers of 64 bits, as array('Q'): those from the start-th of this seed on.

    >>> [hex(n) for n in words(1234567, 2)]
    ['0x599ed017fb08fc85', '0x2c73f08458540fa5']
    >>> words(1, 5)[2:] == words(1, 3, start=2)
    True
    """
    found: array[int] = ao.map(array("Q", range(count)), _STATE, seed=seed & MASK, start=start)
    for step in _MIX:
        ao.map_inplace(found, step)
    return found


def uniform(seed: int, count: int, start: int = 0) -> array[float]:
    """count doubles, evenly distributed over the multiples of 2^-53 in [0, 1).

    >>> uniform(1234567, 2)
    array('d', [0.3500795420214081, 0.17364409667091263])
    """
    numbers: array[float] = ao.map(words(seed, count, start), _UNIT, typecode="d")
    return numbers


def normal(seed: int, count: int, start: int = 0, mean: float = 0.0, std: float = 1.0) -> array[float]:
    """count doubles of the normal distribution, by the method of G. E. P. Box and M. E. Muller.

    The i-th is made of the uniform ones 2i and 2i + 1.

    >>> [round(v, 3) for v in normal(1, 3)]
    [-0.034, -2.5, 0.088]
    """
    pairs = uniform(seed, 2 * count, 2 * start)
    radius, turn = ao.slice(pairs, 0, None, 2), ao.slice(pairs, 1, None, 2)
    text = "mean + std * (sqrt(-2 * log(1 - x)) * cos(turn * tau))"
    numbers: array[float] = ao.map(array("d", radius), text, turn=turn, mean=mean, std=std, tau=math.tau)
    return numbers
