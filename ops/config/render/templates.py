"""Find templates and fill them; what is wrong with one is told by file and line.

Templates come with the fleet, and a fleet may come from a stranger's pull request: they run in
Jinja's sandbox and read nothing but their own folders.
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

import ops
from ops import files
from ops.errors import FleetError, Problem

FOLDER = "templates"
"""The folder of templates, both in a fleet and in this repository."""

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
"""What a template can make happen."""


def ours() -> Path:
    """Return the folder of our own templates: in the installed package, or in the checkout."""
    package = Path(ops.__file__).parent
    installed = package / FOLDER
    return installed if installed.is_dir() else package.parent / FOLDER


class _Folder(BaseLoader):
    """The fleet's own templates; what lies there and cannot be read is an OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @override
    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return the text, the path, and whether that is still so."""
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
    found = path.stat()
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=16)
def environment(fleet: Path) -> Environment:
    """Return where the templates of the fleet in folder *fleet* are found.

    One of the fleet's own, in its ``templates/``, stands in for ours of the same name. Undefined
    names fail; ``tojson`` turns a value into JSON.
    """
    found = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([_Folder(fleet / FOLDER), FileSystemLoader(ours())]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # JSON and unit files, not HTML
    )
    found.filters["tojson"] = _json
    return found


def fill(templates: Environment, name: str, values: Mapping[str, Any]) -> str:
    """Return the text of the template called *name*, filled with *values*.

    Raises:
        FleetError: the template is missing or broken; says where, and what to write instead.
    """
    try:
        return templates.get_template(name).render(values)
    except _BROKEN as error:
        problem = _problem(error, name)
        if problem is None:
            raise
        raise FleetError([problem]) from None


def _json(value: object) -> str:
    """Write *value* as JSON, in the order of its fields; Jinja's own sorts them, for HTML."""
    return json.dumps(value, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, Undefined):
        str(value)  # raises what Jinja says of an undefined name
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def _problem(error: Exception, name: str) -> Problem | None:
    """Say what is wrong with a template; None if it is not the template that is wrong."""
    file, line = _place(error, name)
    if isinstance(error, TemplateSyntaxError):
        return Problem(_shown(error.filename or name), error.lineno, error.message or "bad syntax")
    if isinstance(error, TemplateNotFound):
        missing = f"there is no template {error.name}"
        return Problem(file, line, missing, f"write {FOLDER}/{error.name} in the fleet's folder")
    if isinstance(error, UndefinedError):
        remedy = "the head of the template lists what there is"
        return Problem(file, line, error.message or "undefined", remedy)
    if isinstance(error, SecurityError):
        return Problem(file, line, f"templates may not do this: {error}", "use plain values only")
    if isinstance(error, OSError) and error.filename:
        where = _shown(str(error.filename))
        return Problem(where, getattr(error, "line", 0), *files.reason(error))
    return Problem(file, line, f"{type(error).__name__}: {error}") if line else None


def _place(error: Exception, name: str) -> tuple[str, int]:
    """Return the template and line that *error* came from; line 0 if it came from none.

    Jinja gives its tracebacks frames with the template's own file and line.
    """
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.endswith(".j2")]
    if not inside:
        return _shown(name), 0
    return _shown(inside[-1].filename), inside[-1].lineno or 0


def _shown(file: str) -> str:
    """Return *file* as people know it: ``templates/...``."""
    parts = Path(file).parts
    if FOLDER not in parts:
        return f"{FOLDER}/{file}"
    last = len(parts) - 1 - parts[::-1].index(FOLDER)
    return "/".join(parts[last:])
