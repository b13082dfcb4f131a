"""Softmax over what a token may look at, in place, and its gradient.

    softmax_(far, near, ends)                           # scores become weights
    softmax_gradient_(to_far, to_near, far, near, ends)

A token looks at two places (see `mazelib.training.packed_attention.Plan`): `far`, its
edge list, and `near`, its own question so far. A row of scores is read once, and only
where the token may look. Torch would copy the scores to float32, hide some of them,
work out the exponentials of those as well, and copy the weights back.

The compiled functions take the bits of float32, in uint32, or of bfloat16, in uint16,
which are the upper half of a float32's. All is worked out in float32.
"""

from math import factorial

import numpy as np
import torch
from jaxtyping import UInt64
from numba import njit
from torch import Tensor

from mazelib.errors import MazelibError
from mazelib.mazes.lattice import compiled

in_any_order = njit(cache=True, nogil=True, fastmath={"reassoc", "nsz", "contract"})
"""Compiled so that many terms of a sum are added at once, and products with them."""
inlined = njit(cache=True, inline="always")
"""Put in where it is called. A slice of an array for a call takes longer than a row."""

BITS = {torch.float32: torch.uint32, torch.bfloat16: torch.uint16}
LOWEST = np.float32(-87)
"""The exponential of less is that of this: about 2e-38, a normal float32 still."""
PER_OCTAVE = np.float32(1 / np.log(2))
POLYNOMIAL = tuple(np.float32(np.log(2) ** k / factorial(k)) for k in range(7))
"""Taylor's, of 2**x where |x| <= 1/2."""
EXPONENT_BIAS, MANTISSA_BITS = np.int32(127), np.int32(23)
"""Of float32."""
HALF = np.float32(0.5)
LANES = np.uint64(32)
"""Elements that a processor works on at once, or a multiple; the rest one by one."""
START = np.uint64(0)
"""Indices are unsigned: of others each would be tested, for counting from the end."""


def softmax_(
    far: Tensor, near: Tensor, ends: UInt64[np.ndarray, "list query 3"]
) -> None:
    """Turn scores to weights, which are 0 where a token may not look.

    far: [list * heads, query, key], near: [list * heads * blocks, size, key], where the
        blocks' tokens are a list's queries, in order; float32 or bfloat16, contiguous.
    ends: how many of the first keys in `far` a token sees, and from which one on and up
        to which in `near`; the heads of a list see the same. That these lie within the
        keys, the second before the third, is not checked.

    Exponentials are right to 4e-6 of themselves. What is no number stays none. Raises
    MazelibError for another dtype.
    """
    _softmax(*_by_list(far, near), ends)


def softmax_gradient_(to_far, to_near, far, near, ends) -> None:
    """Turn gradients of weights, `to_far` and `to_near`, to gradients of scores.

    far, near: the weights. All as in `softmax_`.
    """
    _gradient(*_by_list(to_far, to_near), *_by_list(far, near), ends)


def _by_list(far: Tensor, near: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The bits of both as [list * heads, query, key]."""
    if far.dtype not in BITS:
        raise MazelibError(f"scores are {far.dtype}: give float32 or bfloat16")
    kind = BITS[far.dtype]
    near = near.view(*far.shape[:2], -1) if near.numel() else near
    return tuple(x.detach().view(kind).numpy() for x in (far, near))


@compiled
def _softmax(far, near, ends):
    heads = far.shape[0] // ends.shape[0]
    row = np.empty(far.shape[2] + near.shape[2] + int(LANES), np.float32)
    spare = np.empty_like(row)
    for i in range(far.shape[0]):
        for j in range(far.shape[1]):
            end, start, stop = ends[i // heads, j]
            count = end + stop - start
            read_both(far, near, i, j, end, start, stop, row)
            if count:
                normalized(row, count, spare)
            write_both(row, far, near, i, j, end, start, stop)


@compiled
def _gradient(to_far, to_near, far, near, ends):
    heads = far.shape[0] // ends.shape[0]
    row = np.empty(far.shape[2] + near.shape[2], np.float32)
    weight = np.empty_like(row)
    for i in range(far.shape[0]):
        for j in range(far.shape[1]):
            end, start, stop = ends[i // heads, j]
            count = end + stop - start
            read_both(to_far, to_near, i, j, end, start, stop, row)
            read_both(far, near, i, j, end, start, stop, weight)
            mean = product(weight, row, count)
            for k in range(count):
                row[k] = weight[k] * (row[k] - mean)
            write_both(row, to_far, to_near, i, j, end, start, stop)


@inlined
def read_both(far, near, i, j, end, start, stop, row):
    """What a token sees at both places as float32, to the start of a row."""
    read(far, i, j, START, end, row, START)
    read(near, i, j, start, stop, row, end)


@inlined
def write_both(row, far, near, i, j, end, start, stop):
    """The start of a row to what a token sees at both places; 0 to all else there."""
    write(row, START, far, i, j, START, end)
    write(row, end, near, i, j, start, stop)


@inlined
def read(x, i, j, start, stop, row, at):
    """x[i, j, start:stop] as float32, to row[at:]."""
    shift, whole = np.uint32(32 - 8 * x.itemsize), row.view(np.uint32)
    for k in range(start, stop):
        whole[at + k - start] = np.uint32(x[i, j, k]) << shift


@inlined
def write(row, at, x, i, j, start, stop):
    """What begins at row[at] to x[i, j, start:stop]; 0 to all else in x[i, j]."""
    whole = row.view(np.uint32)
    for k in range(start):
        x[i, j, k] = 0
    for k in range(stop, np.uint64(x.shape[2])):
        x[i, j, k] = 0
    if x.itemsize == 4:
        for k in range(start, stop):
            x[i, j, k] = whole[at + k - start]
    else:
        for k in range(start, stop):
            value = whole[at + k - start]
            # to the nearest, and of two to the even one
            value += np.uint32(0x7FFF) + ((value >> np.uint32(16)) & np.uint32(1))
            x[i, j, k] = value >> np.uint32(16)


@in_any_order
def normalized(row, count, spare):
    """Softmax of the first so many elements, in place; `spare` is written to.

    Their exponentials, less the greatest, as a power of 2 each and a polynomial.
    """
    padded = (count + LANES - np.uint64(1)) // LANES * LANES
    highest, octaves = greatest(row, count, spare), spare.view(np.int32)
    for k in range(count, padded):
        row[k] = -np.inf
    for k in range(padded):
        x = row[k] - highest
        x = LOWEST if x < LOWEST else x  # what is no number stays none
        x *= PER_OCTAVE
        octave = np.int32(x - HALF)
        octaves[k] = np.int32(octave + EXPONENT_BIAS) << MANTISSA_BITS
        x -= np.float32(octave)
        y = POLYNOMIAL[6] * x + POLYNOMIAL[5]
        y = y * x + POLYNOMIAL[4]
        y = y * x + POLYNOMIAL[3]
        y = y * x + POLYNOMIAL[2]
        y = y * x + POLYNOMIAL[1]
        row[k] = y * x + POLYNOMIAL[0]
    for k in range(padded):
        row[k] *= spare[k]
    total = np.float32(0)
    for k in range(count):
        total += row[k]
    factor = np.float32(1) / total
    for k in range(count):
        row[k] *= factor


@compiled
def greatest(row, count, spare):
    """The greatest of the first so many elements; `spare` is written to.

    Maxima of integers are taken many at a time, those of floats are not. The bits of
    positive floats are in their order, those of negative ones are if all but the sign
    are turned.
    """
    whole, found = row.view(np.int32), np.int32(-(2**31))
    for k in range(count):
        found = max(found, in_order(whole[k]))
    spare.view(np.int32)[0] = in_order(found)
    return spare[0]


@compiled
def in_order(x):
    """An integer in the order of the float of these bits; done twice, the bits."""
    return np.int32(x ^ (np.int32(x >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@in_any_order
def product(a, b, count):
    """The inner product of the first so many elements."""
    found = np.float32(0)
    for k in range(count):
        found += a[k] * b[k]
    return found
