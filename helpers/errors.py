"""The one base of every error that a user is meant to read."""


class LakeprepError(Exception):
    """Say in one sentence what is wrong and what to do next; the command line prints it without a traceback."""
