"""What became of each record that a corpus was made of: `outcomes.parquet`."""

import pyarrow as pa

from wellread.formats import tables

OUTCOMES_FILE = "outcomes.parquet"
KEPT = "kept"
OUTCOMES = tables.schema(
    "corpus-outcomes",
    1,
    [
        ("url", pa.string()),  # or where it lies, of a record without one
        ("outcome", pa.string()),  # "kept", or the name of the rule that left it out
        ("reason", pa.string()),  # the rule in words
        ("detail", pa.string()),  # what was measured, or of what it is a duplicate
        ("num_bytes", pa.int64()),  # of its text in UTF-8
        ("excerpt", pa.string()),  # how a text that was left out begins; null: kept, or no text
    ],
)
