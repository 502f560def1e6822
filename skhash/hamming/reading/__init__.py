"""Reading the vectors behind codes: exact distances, and which of them to look at.

The door is `skhash.hamming.vectors`. `kernels` does it, `plain` says what right means.
"""

__all__: list[str] = []
