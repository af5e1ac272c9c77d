"""How many examples the properties of the decision get; ``ASSENT_DEEP=1`` makes them more than 30,000 in all."""

import os

from hypothesis import HealthCheck, settings

DEEP = os.environ.get("ASSENT_DEEP") == "1"
PROPERTY = settings(
    max_examples=1_600 if DEEP else 60,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
"""For one property of DECISION.md 10."""
