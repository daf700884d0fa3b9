"""From a recipe to a run: which stages, in which order, on which directories."""
