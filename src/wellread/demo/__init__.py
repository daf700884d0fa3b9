"""The little web: documentation that is on every machine, as a web with a dump that links to it."""
