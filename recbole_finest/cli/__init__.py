"""The command line: one parser, and one module a command."""
