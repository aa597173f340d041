"""How long the threads of a convolution look out for work before they sleep, as others use the machine."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

SPINS = "3000"
"""Turns of libgomp's waiting loop, about 0.1 ms, after which a thread that waits for the others sleeps.

Without it there are 300,000, about 10 ms, in which it holds the processor that those it waits for could have
had. Beside two programs that compute on two cores, a study at 64 channels of 56 x 56 took 2.3 to 5.9 s so,
and 0.24 to 0.34 s with these; 10,000 and more cost twice that and more, and fewer gain nothing.
"""


def let_idle_threads_sleep(environment: MutableMapping[str, str] = os.environ) -> None:
    """Ask that of OpenMP, which reads it when torch is loaded; what the user asks of it holds."""
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", SPINS)
