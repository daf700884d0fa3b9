"""How much of a test set's text the training text contains (paper, section 4)."""
