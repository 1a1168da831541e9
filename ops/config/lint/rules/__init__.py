"""The rules, a topic a module; importing them takes them in.

0xx the core and the run itself, 1xx statistics and the API, 2xx users, 3xx routing and safety,
4xx inbounds, 5xx REALITY and TLS, 6xx operation, 7xx names and versions.
"""

from ops.config.lint.rules import (
    api,
    api_reached,
    inbounds,
    names,
    operation,
    reality,
    routing,
    run,
    safety,
    statistics,
    tls,
    users,
    ways,
)

__all__ = [
    "api",
    "api_reached",
    "inbounds",
    "names",
    "operation",
    "reality",
    "routing",
    "run",
    "safety",
    "statistics",
    "tls",
    "users",
    "ways",
]
