"""Check a document against a shape, and turn pydantic's errors into problems with remedies."""

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
"""The most problems of one file in a message."""
_LONGEST = 300
"""The most characters of a message. A value can be a megabyte."""

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
    """The correct part of a file, and the problems of the rest."""

    shape: Shape | None
    """The correct part; None if a required table is missing or wrong."""
    problems: list[Problem]
    dropped: frozenset[str] = frozenset()
    """The names of tables that were removed. Other tables can refer to them without a mistake."""
    damaged: frozenset[Location] = frozenset()
    """The tables with a removed field. The file has more fields there than *shape*."""


def checked(document: Document, shape: type[Shape]) -> Checked[Shape]:
    """Check *document* against *shape*. The correct part is returned, too, for further checks."""
    try:
        return Checked(shape.model_validate(document.data), [])
    except ValidationError as error:
        failure = error
    problems = list(islice(_problems(document, shape, failure), MOST + 1))
    if len(problems) > MOST:
        return Checked(None, problems)
    data = copy.deepcopy(document.data)
    rest = _rest(shape, data, failure)
    damaged = frozenset(_place(one)[:2] for one in failure.errors())
    return Checked(rest, problems, _names(document.data) - _names(data), damaged)


def _rest(shape: type[Shape], data: dict[str, Any], error: ValidationError) -> Shape | None:
    """Remove the wrong fields of *error* from *data*; return the rest if it is a *shape*."""
    for _ in range(3):  # a field, then the table that requires it, then the next
        for detail in reversed(error.errors()):
            _remove(data, _place(detail))
        try:
            return shape.model_validate(data)
        except ValidationError as next_error:
            error = next_error
    return None


def _remove(data: Any, place: Location) -> None:
    """Remove the value at *place*, or the nearest table around it."""
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


def _place(detail: ErrorDetails) -> Location:
    return tuple(part for part in detail["loc"] if part != "[key]")


def _problems(
    document: Document, shape: type[BaseModel], error: ValidationError
) -> Iterator[Problem]:
    for detail in error.errors():
        place = _place(detail)
        if document.secret:
            detail["input"] = "..."
        message, remedy = _words(detail, shape, place)
        value = detail["input"]
        yield document.problem(place, _shortened(message), remedy, value)


def _words(detail: ErrorDetails, shape: type[BaseModel], place: Location) -> tuple[str, str]:
    """Return the message and the remedy for one error of pydantic."""
    name = next((part for part in reversed(place) if isinstance(part, str)), "the file")
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden" and "pass" in str(name):
        return f"unknown field {name!r}", _KEY_INSTEAD
    if kind == "extra_forbidden":
        return f"unknown field {name!r}", did_you_mean(str(name), _fields(shape, place[:-1]))
    if kind == "missing":
        return f"{_owner(place)} lacks {name!r}", f"write {name} = ..."
    if kind == "value_error":
        error = _unfit(detail["input"], context["error"])
        return (error if name == detail["input"] else f"{name}: {error}"), ""
    if kind == "literal_error":
        return f"{name} = {_quoted(detail['input'])} is not known", f"use {context['expected']}"
    if kind in _TYPES:
        return f"{name} must be {_TYPES[kind]}, not {_quoted(detail['input'])}", ""
    return f"{name} = {_quoted(detail['input'])}: {detail['msg'].lower()}", ""


def _unfit(value: object, error: Exception) -> str:
    """Return the reason why *value* was refused. A message of UnfitError needs the value first."""
    if isinstance(error, UnfitError):
        return f"{_short(repr(value))} is not allowed: {error}"
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
    """Return the names of the fields of the table at *place* of *shape*."""
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
    """Return the type of the values in a dict, list or optional."""
    return next((arg for arg in reversed(get_args(annotation)) if arg is not type(None)), None)
