"""Work through the plan of all claims, the most valuable runs first.

One run at a time, on two threads. Every result is kept at once: kill it whenever you
like, and call it again::

    python tests/benchmarks/claims/run.py --data FOLDER --until 18:00
"""

from _all import CLAIMS
from _main import main

if __name__ == "__main__":
    main(*CLAIMS, description=__doc__.splitlines()[0])
