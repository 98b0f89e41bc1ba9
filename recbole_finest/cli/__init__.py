"""The command line: one parser, and one module a command.

A command is a module here with ``main(argv)``, which returns the exit code, and its row in ``COMMANDS``.
"""

# the word after run_finest.py: where its function stands, and its line in --help
COMMANDS: dict[str, tuple[str, str]] = {
    "perturb": ("recbole_finest.cli.perturb:main", "draw a perturbation without training"),
    "convert": ("recbole_finest.cli.convert:main", "turn a CSV or TSV into atomic files"),
    "update": ("recbole_finest.cli.update:main", "yesterday's model and today's log: tonight's"),
    "rolling": ("recbole_finest.cli.rolling:main", "replay a log, night after night, by method"),
    "recommend": ("recbole_finest.cli.recommend:main", "lists for people, from a saved model"),
    "compare": ("recbole_finest.cli.compare:main", "compare rank lists of any systems"),
    "export": ("recbole_finest.cli.export:main", "write our rank lists as a TREC run"),
    "report": ("recbole_finest.cli.report:main", "write the report of a finished run again"),
}
