"""Compare models and methods over a grid; see ``--help`` and the README."""

import sys

from recbole_finest.cli.benchmark import main

if __name__ == "__main__":
    sys.exit(main())
