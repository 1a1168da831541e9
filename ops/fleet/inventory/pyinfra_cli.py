"""The command line of pyinfra, and a wrong advice in its log."""

import argparse
import logging
import sys
from collections.abc import Sequence

_KEYGEN = "    ssh-keygen -R "


def typed_targets(words: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Return the hosts and groups on pyinfra's command line, by option.

    >>> typed_targets(["inventory", "deploy.py", "--limit", "fra1", "--limit=edge"])
    {'--limit': ['fra1', 'edge'], '--exclude': []}
    """
    if words is None and "pyinfra_cli" not in sys.modules:
        return {}
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for option in ("--limit", "--exclude"):
        parser.add_argument(option, action="append", default=[])
    given, _ = parser.parse_known_args(words)
    return {f"--{option}": names for option, names in vars(given).items()}


def name_our_command(record: logging.LogRecord) -> bool:
    """Replace the command in pyinfra's advice about known_hosts. No record is dropped."""
    if isinstance(record.msg, str) and record.msg.startswith(_KEYGEN):
        record.msg = "    ops hosts trust NAME --fingerprint SHA256:... --replace"
    return True
