"""Find templates and render them; an error names the file and the line.

Templates belong to the fleet, and a change of the fleet may be a stranger's pull request.
Therefore they run in Jinja's sandbox, and can read only the template folders.
"""

import errno
import json
import traceback
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    Undefined,
    UndefinedError,
)
from jinja2.exceptions import SecurityError
from jinja2.loaders import split_template_path
from jinja2.sandbox import ImmutableSandboxedEnvironment
from typing_extensions import override

from ops import files
from ops.config.render.folders import FOLDER, ours
from ops.errors import FleetError, Problem

_BROKEN = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
    OSError,
)
"""Errors that a wrong template can raise."""


class _Folder(BaseLoader):
    """Loads the fleet's own templates; OSError if a template exists and cannot be read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @override
    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return the text, the path, and a function that tells if the file is unchanged."""
        path = self._folder.joinpath(*split_template_path(template))
        if not files.exists(path):
            self._must_be_folder()
            raise TemplateNotFound(template)
        text, stamp = files.read_text(path), _stamp(path)
        return text, str(path), lambda: _stamp(path) == stamp

    def _must_be_folder(self) -> None:
        if files.exists(self._folder) and not self._folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "Not a directory", str(self._folder))


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=16)
def environment(fleet: Path) -> Environment:
    """Return the Jinja environment for the fleet in folder *fleet*.

    A template in the fleet's ``templates/`` replaces ours of the same name. An undefined name is an
    error. The filter ``tojson`` writes a value as JSON.
    """
    jinja = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([_Folder(fleet / FOLDER), FileSystemLoader(ours())]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # JSON and unit files, not HTML
    )
    jinja.filters["tojson"] = _json
    return jinja


def fill(templates: Environment, name: str, values: Mapping[str, Any]) -> str:
    """Return the text of the template called *name*, rendered with the variables *values*.

    Raises:
        FleetError: the template is missing or broken; it names the place and the remedy.
    """
    try:
        return templates.get_template(name).render(values)
    except _BROKEN as error:
        problem = _problem(error, name)
        if problem is None:
            raise
        raise FleetError([problem]) from None


def _json(value: object) -> str:
    """Return *value* as JSON with its fields in order; Jinja's own filter would sort them."""
    return json.dumps(value, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, Undefined):
        str(value)  # raises Jinja's error for an undefined name
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def _problem(error: Exception, name: str) -> Problem | None:
    """Return *error* as a problem of a template; None if no template caused it."""
    file, line = _place(error, name)
    if isinstance(error, TemplateSyntaxError):
        return Problem(_shown(error.filename or name), error.lineno, error.message or "bad syntax")
    if isinstance(error, TemplateNotFound):
        missing = f"there is no template {error.name}"
        return Problem(file, line, missing, f"write {FOLDER}/{error.name} in the fleet's folder")
    if isinstance(error, UndefinedError):
        remedy = "use a name that the comment at the top of the template lists"
        return Problem(file, line, error.message or "undefined", remedy)
    if isinstance(error, SecurityError):
        return Problem(file, line, f"templates may not do this: {error}", "use simple values only")
    if isinstance(error, OSError) and error.filename:
        where = _shown(str(error.filename))
        return Problem(where, getattr(error, "line", 0), *files.reason(error))
    return Problem(file, line, f"{type(error).__name__}: {error}") if line else None


def _place(error: Exception, name: str) -> tuple[str, int]:
    """Return the template and the line of *error*; line 0 if no line is known.

    Jinja's tracebacks have frames with the file and line of the template.
    """
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.endswith(".j2")]
    if not inside:
        return _shown(name), 0
    return _shown(inside[-1].filename), inside[-1].lineno or 0


def _shown(file: str) -> str:
    """Return *file* in the form for messages: ``templates/...``."""
    parts = Path(file).parts
    if FOLDER not in parts:
        return f"{FOLDER}/{file}"
    last = len(parts) - 1 - parts[::-1].index(FOLDER)
    return "/".join(parts[last:])
