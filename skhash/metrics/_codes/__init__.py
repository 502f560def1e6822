"""How well codes use their bits, how short they may be, and what is there twice."""
