"""Check that the templates rendered a config: a JSON object of the shape that other code needs."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ops.config.render.folders import FOLDER
from ops.errors import FleetError, Problem

_LISTS = ("clients", "users")
"""The old and the new name of the users, in an inbound's settings."""


def proved(parts: Sequence[tuple[str, str]]) -> str:
    """Return the last of *parts* as JSON in a uniform layout.

    Args:
        parts: pairs of a template's name and its rendered text. The last is the whole config,
            which contains the other texts.

    Raises:
        FleetError: a text is not a JSON object, or the whole is not a config. It names the first
            wrong part.
    """
    broken = [problem for problem in (_not_an_object(*part) for part in parts) if problem]
    if broken:
        raise FleetError(broken[:1])
    config = _read(parts[-1][1])
    if wrong := next(_misshapen(config), ""):
        raise FleetError([Problem(f"{FOLDER}/{parts[-1][0]}", 0, f"the rendered config: {wrong}")])
    return json.dumps(config, indent=2) + "\n"


def _read(text: str) -> Any:
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _not_an_object(name: str, text: str) -> Problem | None:
    """Return the problem if *text* is not a JSON object, else None.

    The message quotes only names of fields, because a value may be a secret without quotes.
    """
    try:
        if isinstance(_read(text), dict):
            return None
        message = "the rendered text is JSON, but not an object"
        remedy = "begin with { and end with }"
    except json.JSONDecodeError as error:
        fields = re.findall(r'"(\w+)"\s*:', text[: error.pos])
        after = f', after "{fields[-1]}"' if fields else ""
        message = f"the rendered text is not JSON{after}: {error.msg}"
        remedy = "write `| tojson` after every value, and a comma after every entry but the last"
    except RecursionError:
        message, remedy = "the rendered text is nested too deeply", "close each bracket"
    except ValueError:  # Infinity, or a number of thousands of digits
        message = "the rendered text holds a number that is not JSON"
        remedy = "write another number"
    return Problem(f"{FOLDER}/{name}", 0, message, remedy)


def _misshapen(config: dict[str, Any]) -> Iterator[str]:
    """Yield each fault in the shape of *config* that would break the search for its users."""
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
