"""Write the files that later versions must open, and what they must answer.

Run once for each format, with the version that introduces it, and with the oldest
scikit-learn that it supports (constraints-oldest.txt), so that newer ones open them:

    python -m tests.persistence.make_files
"""

from pathlib import Path

import numpy as np

from skhash import save
from tests.persistence.corpus import MADE, answer, made

FILES = Path(__file__).parent / "files"


def main():
    FILES.mkdir(exist_ok=True)
    answers = {}
    for name in MADE:
        model, items = made(name)
        save(model, FILES / f"{name}.skhash")
        answers[name] = answer(model, items[:6])
    np.savez_compressed(FILES / "answers.npz", **answers)


if __name__ == "__main__":
    main()
