"""`python -m wellread` is the command `wellread`."""

import sys

from wellread.cli import main

if __name__ == "__main__":
    sys.exit(main())
