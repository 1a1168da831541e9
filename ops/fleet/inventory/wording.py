"""Say in plain words what pydantic found wrong, and what to write instead."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ops.errors import Problem
from ops.fleet.inventory.toml import Document, Location
from ops.fleet.inventory.values import UnfitError
from ops.model.spelling import did_you_mean

Shape = TypeVar("Shape", bound=BaseModel)

MOST = 200
"""Problems of a file that are told at once: nobody reads more, and each costs a search."""
_LONGEST = 300
"""Characters of a message; a value may be a megabyte."""

_KEY_INSTEAD = "passwords do not belong here: put your ssh key on the host, and name it in ssh_key"
_TYPES = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list in [ ]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "date_type": "a date such as 2026-12-31, without quotes",
}


@dataclass(frozen=True)
class Checked(Generic[Shape]):
    """What a file says, without what is wrong in it, and what that is."""

    shape: Shape | None
    """None where too little was left."""
    problems: list[Problem]
    dropped: frozenset[str] = frozenset()
    """The names of tables that were left out: others may rightly speak of them."""
    damaged: frozenset[Location] = frozenset()
    """The tables that something was taken out of: what they lack now they may have had."""


def checked(document: Document, shape: type[Shape]) -> Checked[Shape]:
    """Check *document* against *shape*, and keep what is right: people mend more at a time."""
    try:
        return Checked(shape.model_validate(document.data), [])
    except ValidationError as error:
        found = error
    told = list(islice(_problems(document, shape, found), MOST + 1))
    if len(told) > MOST:
        return Checked(None, told)
    data = copy.deepcopy(document.data)
    left = _left(shape, data, found)
    damaged = frozenset(_place(one)[:2] for one in found.errors())
    return Checked(left, told, _names(document.data) - _names(data), damaged)


def _left(shape: type[Shape], data: dict[str, Any], error: ValidationError) -> Shape | None:
    """Take what *error* names out of *data*, until the rest is a *shape* or nothing is left."""
    for _ in range(3):  # a field, then the table that cannot be without it, then the table's own
        for found in reversed(error.errors()):
            _remove(data, _place(found))
        try:
            return shape.model_validate(data)
        except ValidationError as next_error:
            error = next_error
    return None


def _remove(data: Any, place: Location) -> None:
    """Take out *place*, or the nearest thing around it that is there."""
    holder: Any = None
    last: Any = None
    for part in place:
        if not _holds(data, part):
            break
        holder, last, data = data, part, data[part]
    if holder is not None:
        del holder[last]


def _holds(data: Any, part: str | int) -> bool:
    return part in data if isinstance(data, dict) else isinstance(data, list)


def _names(data: dict[str, Any]) -> frozenset[str]:
    tables = (table for table in data.values() if isinstance(table, dict))
    return frozenset(name for table in tables for name in table)


def _place(found: ErrorDetails) -> Location:
    return tuple(part for part in found["loc"] if part != "[key]")


def _problems(
    document: Document, shape: type[BaseModel], error: ValidationError
) -> Iterator[Problem]:
    for found in error.errors():
        place = _place(found)
        if document.secret:
            found["input"] = "..."
        message, remedy = _words(found, shape, place)
        value = found["input"]
        yield document.problem(place, _shortened(message), remedy, value)


def _words(found: ErrorDetails, shape: type[BaseModel], place: Location) -> tuple[str, str]:
    """Return the message and the remedy for one finding."""
    name = next((part for part in reversed(place) if isinstance(part, str)), "the file")
    kind, context = found["type"], found.get("ctx", {})
    if kind == "extra_forbidden" and "pass" in str(name):
        return f"unknown field {name!r}", _KEY_INSTEAD
    if kind == "extra_forbidden":
        return f"unknown field {name!r}", did_you_mean(str(name), _fields(shape, place[:-1]))
    if kind == "missing":
        return f"{_owner(place)} lacks {name!r}", f"write {name} = ..."
    if kind == "value_error":
        error = _unfit(found["input"], context["error"])
        return (error if name == found["input"] else f"{name}: {error}"), ""
    if kind == "literal_error":
        return f"{name} = {_quoted(found['input'])} is not known", f"use {context['expected']}"
    if kind in _TYPES:
        return f"{name} must be {_TYPES[kind]}, not {_quoted(found['input'])}", ""
    return f"{name} = {_quoted(found['input'])}: {found['msg'].lower()}", ""


def _unfit(value: object, error: Exception) -> str:
    """Return why *value* was refused; an error of ours leaves it to this room to show it."""
    if isinstance(error, UnfitError):
        return f"{_short(repr(value))} will not do: {error}"
    return str(error)


def _shortened(message: str) -> str:
    middle = _LONGEST // 2
    return message if len(message) <= _LONGEST else f"{message[:middle]}...{message[-middle:]}"


def _owner(place: Location) -> str:
    return f"[{'.'.join(str(part) for part in place[:-1])}]" if place[1:] else "the file"


def _quoted(value: object) -> str:
    return _short(repr(value) if not isinstance(value, str) else f'"{value}"')


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _fields(shape: type[BaseModel], place: Location) -> list[str]:
    """Return the fields that the table at *place* of *shape* may have."""
    model: Any = shape
    for part in place:
        inner = model.model_fields[part].annotation if _is_model(model) else None
        model = inner if inner is not None else _value_type(model)
    while not _is_model(model) and get_args(model):
        model = _value_type(model)
    return list(model.model_fields) if _is_model(model) else []


def _is_model(candidate: object) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)


def _value_type(annotation: object) -> object:
    """Return what a dict, list or optional of the model's fields holds."""
    return next((arg for arg in reversed(get_args(annotation)) if arg is not type(None)), None)
