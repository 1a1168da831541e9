"""Check the types and sizes in the state that a host sent, because hosts are not trusted."""

import re
from collections.abc import Sequence
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from ops.model.untrusted import UntrustedDataError, count_of, list_of, object_of, shortened, text_of
from ops.servers.on_host.state import HostState

_LONGEST = 4096
"""The most characters of a text."""
_MOST = 100_000
"""The most entries of a list or table."""
_DEEPEST = 6
_LARGEST = 2**63 - 1
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


def checked(state: HostState) -> HostState:
    """Return *state* with only visible characters in its texts.

    UntrustedDataError if a value has the wrong type, or if it is too large or nested too deeply.
    """
    kinds = _kinds()
    try:
        fields = state._asdict().items()
        sound = HostState(**{name: _sound(value, kinds[name]) for name, value in fields})
    except UntrustedDataError as error:
        raise UntrustedDataError(f"it sent a state that is not valid: {error}") from None
    commit = sound.record.get("commit") or ""
    if commit and not (isinstance(commit, str) and _COMMIT.fullmatch(commit)):
        raise UntrustedDataError(f"it sent a state that is not valid: {commit!r} is no commit")
    return sound


@cache
def _kinds() -> dict[str, Any]:
    return get_type_hints(HostState)


def _sound(value: Any, kind: Any, depth: int = 0) -> Any:
    """Return *value* if it is of the type *kind*, and so are all values inside it."""
    if depth > _DEEPEST:
        raise UntrustedDataError("it is nested too deeply")
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, UnionType):
        return None if value is None else _sound(value, _not_none(inner), depth)
    if origin is dict:
        entries = object_of(value)
        if len(entries) > _MOST:
            raise UntrustedDataError(f"{len(entries)} entries are more than {_MOST}")
        return {
            text_of(n, _LONGEST): _sound(one, inner[1], depth + 1) for n, one in entries.items()
        }
    if origin is Sequence:
        return [_sound(one, inner[0], depth + 1) for one in list_of(_list_of(value), _MOST)]
    return _scalar(value, kind, depth)


def _list_of(value: Any) -> Any:
    # A field that the host did not send has its default, an empty tuple.
    return list(value) if isinstance(value, tuple) else value


def _not_none(kinds: tuple[Any, ...]) -> Any:
    return next(kind for kind in kinds if kind is not NoneType)


def _scalar(value: Any, kind: Any, depth: int) -> Any:
    if kind is Any:
        return _anything(value, depth)
    if kind is bool and not isinstance(value, bool):
        raise UntrustedDataError(f"{shortened(value)} is neither true nor false")
    if kind is int:
        return count_of(value, _LARGEST)
    return text_of(value, _LONGEST) if kind is str else value


def _anything(value: Any, depth: int) -> Any:
    """Return *value* if it is JSON, of any type."""
    if isinstance(value, dict):
        return _sound(value, dict[str, Any], depth)
    if isinstance(value, list):
        return _sound(value, Sequence[Any], depth)
    if value is None or isinstance(value, bool):
        return value
    return text_of(value, _LONGEST) if isinstance(value, str) else count_of(value, _LARGEST)
