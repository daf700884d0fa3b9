"""Continuing a text with a model."""
