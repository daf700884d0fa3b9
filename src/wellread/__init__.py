"""wellread: GPT-2 as a system."""
