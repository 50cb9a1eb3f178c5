"""What the property tests draw from."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

quick = settings(max_examples=40, deadline=None, derandomize=True)


@st.composite
def series(draw, channels=(1, 4), rows=(0, 200), missing=False, spread=(0.0, 6.0)):
    """A (channels, rows) float64 series of plausible readings: levels, noise, steps, constants, missing cells."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    c, n = draw(st.integers(*channels)), draw(st.integers(*rows))
    level = 10.0 ** generator.uniform(*spread, size=(c, 1)) * generator.choice([-1.0, 1.0], size=(c, 1))
    kind = draw(st.sampled_from(["noise", "steps", "constant", "walk"]))
    noise = generator.normal(size=(c, n))
    if kind == "steps":
        noise = np.round(noise)
    elif kind == "constant":
        noise[:] = 0.0
    elif kind == "walk":
        noise = np.cumsum(noise, axis=1)
    values = level + noise
    if missing and n:
        holes = generator.random((c, n)) < 0.1
        values[holes] = generator.choice([np.nan, np.inf, -np.inf], size=int(holes.sum()))
    return values
