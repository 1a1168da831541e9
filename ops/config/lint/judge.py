"""Apply every rule to a config."""

from collections.abc import Iterator
from typing import Any

from ops.config.lint import rules
from ops.config.lint.config import Around, Config
from ops.config.lint.finding import RULES, Hit, LintRule

assert rules.__all__  # the import registered the rules  # noqa: S101


def judge(
    data: dict[str, Any], around: Around, twice: tuple[str, ...] = ()
) -> list[tuple[LintRule, Hit]]:
    """Return the hits of all rules in the config *data*, in the order of the rules' codes.

    Args:
        data: the config, as parsed JSON.
        around: facts about the server.
        twice: keys that *data* had more than once, before it was parsed.
    """
    config = Config(data, around, twice)
    return list(_judged(config))


def _judged(config: Config) -> Iterator[tuple[LintRule, Hit]]:
    for code in sorted(RULES):
        rule = RULES[code]
        if rule.check and rule.holds_for(config.version):
            yield from ((rule, hit) for hit in rule.check(config))
