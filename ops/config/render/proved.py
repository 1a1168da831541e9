"""Prove that what templates rendered is a config: JSON, and of the shape that others rely on."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ops.config.render.templates import FOLDER
from ops.errors import FleetError, Problem

_LISTS = ("clients", "users")
"""The old and the new name of the users, in an inbound's settings."""


def proved(parts: Sequence[tuple[str, str]]) -> str:
    """Return the last of *parts* in one form, parsed and written anew.

    Args:
        parts: templates' names and what they rendered; the last holds the others.

    Raises:
        FleetError: one of them is no JSON object, or the last is no config; never the last if
            another is to blame.
    """
    broken = [problem for problem in (_not_an_object(*part) for part in parts) if problem]
    if broken:
        raise FleetError(broken[:1])
    config = _read(parts[-1][1])
    if wrong := next(_misshapen(config), ""):
        raise FleetError([Problem(f"{FOLDER}/{parts[-1][0]}", 0, f"what it renders: {wrong}")])
    return json.dumps(config, indent=2) + "\n"


def _read(text: str) -> Any:
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _not_an_object(name: str, text: str) -> Problem | None:
    """Say why *text* is no JSON object, without a word of it: it may be an unquoted secret."""
    try:
        if isinstance(_read(text), dict):
            return None
        message, remedy = "what it renders is JSON, but no object", "begin with { and end with }"
    except json.JSONDecodeError as error:
        fields = re.findall(r'"(\w+)"\s*:', text[: error.pos])
        after = f', after "{fields[-1]}"' if fields else ""
        message = f"what it renders is not JSON{after}: {error.msg}"
        remedy = "every value wants `| tojson`, every entry but the last a comma"
    except RecursionError:
        message, remedy = "what it renders is nested too deeply", "close each bracket"
    except ValueError:  # Infinity, or a number of thousands of digits
        message, remedy = "what it renders holds a number that is no JSON", "write another"
    return Problem(f"{FOLDER}/{name}", 0, message, remedy)


def _misshapen(config: dict[str, Any]) -> Iterator[str]:
    """Say what of *config* is not of the shape in which its users are looked up."""
    inbounds = config.get("inbounds", [])
    if not isinstance(inbounds, list):
        yield '"inbounds" must be a list'
        return
    for at, inbound in enumerate(inbounds):
        if not isinstance(inbound, dict):
            yield f"inbounds[{at}] must be an object"
        elif not isinstance(inbound.get("settings", {}), dict):
            yield f'the "settings" of inbounds[{at}] must be an object'
        else:
            yield from _without_names(at, inbound)


def _without_names(at: int, inbound: dict[str, Any]) -> Iterator[str]:
    settings = inbound.get("settings", {})
    for name in _LISTS:
        if name not in settings:
            continue
        if not isinstance(inbound.get("tag"), str):
            yield f'inbounds[{at}] has users and needs a "tag"'
        if not isinstance(settings[name], list):
            yield f'"{name}" of inbounds[{at}] must be a list'
            return
        for user in settings[name]:
            if not isinstance(user, dict) or not isinstance(user.get("email"), str):
                yield f'each user of inbounds[{at}] must be an object with an "email"'
