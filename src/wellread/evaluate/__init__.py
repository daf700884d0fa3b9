"""A model's zero-shot scores, with the protocol, the interval and every item (section 3)."""
