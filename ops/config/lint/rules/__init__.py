"""The rules, with one module for each topic; the import of a module registers its rules.

The first digit of a code is the topic. 0: the validation itself. 1: statistics and the API.
2: users. 3: routing and safety. 4: inbounds. 5: REALITY and TLS. 6: operation. 7: names and
versions.
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
