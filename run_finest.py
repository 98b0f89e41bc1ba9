"""Train, stabilise and measure one model on one data set; see ``--help`` and the README."""

import sys

from recbole_finest.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
