"""The normal distribution's cumulative probability, which numpy has not."""

import math

import numpy as np

from marquee.rating.arrays import Floats

_erf = np.frompyfunc(math.erf, 1, 1)


def cumulative(z: Floats) -> Floats:
    """How probable a standard normal value below z is: from 0 to 1, the shape of z."""
    return 0.5 * (1.0 + np.asarray(_erf(z / math.sqrt(2.0)), dtype=np.float64))
