"""Work through the plan of all claims, the most valuable runs first.

Every result is kept at once: kill it whenever you like, and call it again. Small
networks gain little from a second thread, so two cores do more with two processes of
one thread each, which share the runs out between them. Say this twice::

    python tests/benchmarks/claims/run.py --data FOLDER --n-jobs 1 --until 18:00
"""

from _all import CLAIMS
from _main import main

if __name__ == "__main__":
    main(*CLAIMS, description=__doc__.splitlines()[0])
