"""How many examples properties try, and from which seeds: one profile for all of them.

**fixed**    what `make test` runs: the same examples every time
**fuzz**     what `make fuzz` runs: fresh ones, `PODFENCE_EXAMPLES` times as many (100 unless told)
**mutants**  as fixed, without the search for a smaller counter-example, since only the failure counts

`@examples(200)` gives a property twice as many as others, whatever the profile.
"""

import os

from hypothesis import HealthCheck, Phase, settings

USUAL = 100
TIMES = int(os.environ.get("PODFENCE_EXAMPLES", "100"))
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)

# How fast examples are made says more of the machine than of the code.
common = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("fixed", max_examples=USUAL, derandomize=True, **common)
settings.register_profile("fuzz", max_examples=USUAL * TIMES, derandomize=False, print_blob=True, **common)
settings.register_profile("mutants", settings.get_profile("fixed"), phases=WITHOUT_SHRINKING)
settings.load_profile("fixed")


def examples(count):
    """For a property that needs another number than usual: so many in the fixed profile."""
    return settings(max_examples=count * settings.default.max_examples // USUAL)
