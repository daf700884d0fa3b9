"""What every layer stands on, without a word of the domain."""
