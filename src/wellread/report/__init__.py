"""From results and manifests to one page beside the paper's numbers; nothing is computed here."""
