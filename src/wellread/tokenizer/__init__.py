"""Byte-level byte-pair encoding, as GPT-2 has it (section 2.2 of the paper)."""
