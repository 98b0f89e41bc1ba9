"""The one exception that a user is meant to read."""


class UserError(Exception):
    """Something that the user can put right: a setting, a file, a combination.

    The message is one sentence that names the setting, its value and the remedy. The command
    line prints it without a traceback and ends with exit code 2.
    """
