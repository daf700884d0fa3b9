"""Ask a run's files questions in SQL: python read_artifacts_with_duckdb.py RUN

RUN is what `wellread run` or `wellread demo` wrote. docs/formats.md names every file and column.
"""

import sys
from pathlib import Path

import duckdb

SITES = """
    SELECT domain, count(*) AS documents, sum(strlen(text)) AS bytes, max(karma) AS karma
    FROM read_parquet($file) WHERE split = 'train' GROUP BY domain ORDER BY bytes DESC LIMIT 5
"""
SUREST_ERRORS = """
    SELECT item, target, prediction, round(log_prob, 2) AS log_prob
    FROM read_parquet($file) WHERE value = 0 ORDER BY log_prob DESC LIMIT 3
"""


def main(run: str) -> None:
    folder = Path(run)
    print("The five sites with most text")
    print(duckdb.sql(SITES, params={"file": str(folder / "corpus" / "documents-*.parquet")}))
    for items in sorted(folder.glob("results/*/*winograd.parquet")):
        print(f"Where {items.parent.name} gave a wrong answer, and the right one most probability")
        print(duckdb.sql(SUREST_ERRORS, params={"file": str(items)}))


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) >= 2 else sys.exit(__doc__)
