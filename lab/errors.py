"""What can go wrong in the lab."""


class LabError(Exception):
    """Anything a person can mend; its text is the whole message."""
