"""The error of the lab."""


class LabError(Exception):
    """A failure that a person can repair. Its text is the whole message."""
