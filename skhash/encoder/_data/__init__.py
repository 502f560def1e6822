"""What users give as X and y: read, checked, and gathered in batches."""
