"""GPT-2's transformer, its sizes, and its weights in and out (section 2.3 of the paper)."""
