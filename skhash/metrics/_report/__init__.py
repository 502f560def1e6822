"""All metrics of one task at once, with intervals, and two reports compared."""
