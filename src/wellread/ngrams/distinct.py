"""How many distinct hashes there are, in 64 KiB whatever their number (HyperLogLog)."""

import math

import numpy as np
import numpy.typing as npt

from wellread.base.intrinsics import lowest_bit
from wellread.base.kernels import kernel
from wellread.ngrams.hashing import Hashes

REGISTER_BITS = 16
NUM_REGISTERS = 1 << REGISTER_BITS
RELATIVE_ERROR = 1.04 / math.sqrt(NUM_REGISTERS)  # one standard deviation (Flajolet et al. 2007)

STOP = np.uint64(1) << np.uint64(64 - REGISTER_BITS)

Registers = npt.NDArray[np.uint8]


def new_registers() -> Registers:
    return np.zeros(NUM_REGISTERS, np.uint8)


@kernel
def observe(registers: Registers, hashes: Hashes) -> None:
    """Record `hashes`; repeats change nothing.

    The registers of several lots of hashes are, by the greater of each two, those of all of them.
    """
    for key in hashes:
        register = key >> np.uint64(64 - REGISTER_BITS)
        # The upper bits name the register: of the others, how many to the lowest that is set.
        rank = np.uint8(lowest_bit(key | STOP) + np.uint64(1))
        registers[register] = max(registers[register], rank)


def estimate_distinct(registers: Registers) -> int:
    """How many distinct hashes `observe` saw, within RELATIVE_ERROR; exact enough near zero."""
    correction = 0.7213 / (1 + 1.079 / NUM_REGISTERS)
    harmonic = np.sum(np.exp2(-registers.astype(np.float64)))
    estimate = correction * NUM_REGISTERS**2 / float(harmonic)
    num_empty = int(np.count_nonzero(registers == 0))
    if estimate <= 2.5 * NUM_REGISTERS and num_empty:
        estimate = NUM_REGISTERS * math.log(NUM_REGISTERS / num_empty)
    return round(estimate)
