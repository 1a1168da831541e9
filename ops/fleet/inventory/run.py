"""The pyinfra run that reads the inventory: what was typed, and misleading words of pyinfra."""

import argparse
import logging
import sys
from collections.abc import Sequence

_KEYGEN = "    ssh-keygen -R "


def typed(words: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Return the hosts and groups that were typed for pyinfra, by option.

    >>> typed(["inventory", "deploy.py", "--limit", "fra1", "--limit=edge"])
    {'--limit': ['fra1', 'edge'], '--exclude': []}
    """
    if words is None and "pyinfra_cli" not in sys.modules:
        return {}
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for option in ("--limit", "--exclude"):
        parser.add_argument(option, action="append", default=[])
    given, _ = parser.parse_known_args(words)
    return {f"--{option}": names for option, names in vars(given).items()}


def in_our_words(record: logging.LogRecord) -> bool:
    """Name our own command where pyinfra advises one for the known_hosts of the user."""
    if isinstance(record.msg, str) and record.msg.startswith(_KEYGEN):
        record.msg = "    ops hosts trust NAME --fingerprint SHA256:... --replace"
    return True
