"""0xx: findings of the validation itself: the core's refusal, and missing cores or secrets.

They have no check of their own: :mod:`ops.config.validation` reports them.
"""

from ops.config.lint.finding import LintRule, add
from ops.config.lint.severity import ERROR, NOTE, WARNING

CORE_REFUSES = add(
    LintRule(
        code="XO001",
        name="core-refuses",
        severity=ERROR,
        sentence="The core itself refuses this config.",
        why="The core would not start. The finding quotes the core's message. The place is our "
        "interpretation, because the core names none.",
        remedy="correct the fault that the core's message describes",
    )
)
UNREADABLE = add(
    LintRule(
        code="XO002",
        name="unreadable",
        severity=ERROR,
        sentence="The file is not a config: not JSON, not UTF-8, too big or nested too deeply.",
        why="The core cannot read the file.",
        remedy="correct the line that the finding names; comments (//, /* */, #) are allowed",
    )
)
CORE_NOT_ASKED = add(
    LintRule(
        code="XO003",
        name="core-not-asked",
        severity=WARNING,
        sentence="No core on this machine can test the configs.",
        why="The rules alone judged the configs. They do not know every config that the core "
        "refuses.",
        remedy="run `ops core fetch`, or name a core with --core FILE; --require-core makes this "
        "finding an error",
    )
)
CORE_NOT_PINNED = add(
    LintRule(
        code="XO004",
        name="core-not-pinned",
        severity=WARNING,
        sentence="The core that tested the configs is not the pinned core.",
        why="Another version refuses and ignores other settings.",
        remedy="run `ops core fetch` to get the pinned core; --require-core makes this finding an "
        "error",
    )
)
PLACEHOLDERS_USED = add(
    LintRule(
        code="XO005",
        name="placeholders-used",
        severity=NOTE,
        sentence="Placeholders replace secrets or files that are not on this machine.",
        why="The core tested the rest of the config, but not these secrets and files.",
        remedy="for secrets: run `ops validate --require-secrets` in the job that deploys; for "
        "files: nothing, because in a rollout the core of each host tests with them",
    )
)
SECRETS_MISSING = add(
    LintRule(
        code="XO006",
        name="secrets-missing",
        severity=ERROR,
        sentence="Secrets are missing on this machine, and --require-secrets was given.",
        why="A rollout would refuse the hosts that need these secrets.",
        remedy="run `ops secrets fill` to make new secrets, or `ops secrets recover` to read the "
        "old ones from the servers",
    )
)
IGNORED_IN_VAIN = add(
    LintRule(
        code="XO007",
        name="ignored-in-vain",
        severity=WARNING,
        sentence="A host's `ignore` names a rule that finds nothing on this host.",
        why="The fault is corrected. The entry would hide the next fault of the same kind.",
        remedy="remove the rule from `ignore`",
    )
)
INVENTORY_WRONG = add(
    LintRule(
        code="XO009",
        name="inventory-wrong",
        severity=ERROR,
        sentence="A file of the fleet has an error.",
        why="No config can be rendered from the fleet.",
        remedy="correct the line that the finding names",
    )
)
TIME_IS_UP = add(
    LintRule(
        code="XO008",
        name="time-is-up",
        severity=ERROR,
        sentence="Rendering or testing a config exceeded its time limit.",
        why="A template with an endless loop, or a core that hangs, would block the rollout.",
        remedy="look for an endless loop in the fleet's templates/",
    )
)
LINK_DEAD = add(
    LintRule(
        code="XO010",
        name="link-cannot-work",
        severity=ERROR,
        sentence="A share link cannot work with the rendered inbound.",
        why="Links are made from hosts.toml, but a template of the fleet renders a different "
        "inbound. The core starts, and clients with the link cannot connect.",
        remedy="change hosts.toml to match the template, or correct the template in templates/",
    )
)
