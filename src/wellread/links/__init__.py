"""From dumps of Reddit submissions to the links that somebody found worth reading (paper, 2.1)."""
