"""The normal distribution's cumulative probability, which numpy lacks."""

import math

import numpy as np

from marquee.rating.types import Floats

_erf = np.frompyfunc(math.erf, 1, 1)


def cumulative(z: Floats) -> Floats:
    """Return the probability that a standard normal value is below z: from 0 to 1, in the shape of z."""
    return 0.5 * (1.0 + np.asarray(_erf(z / math.sqrt(2.0)), dtype=np.float64))
