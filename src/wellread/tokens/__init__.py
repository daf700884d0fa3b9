"""From documents to shards of token ids."""
