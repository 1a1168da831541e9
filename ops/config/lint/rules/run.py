"""0xx: what the run itself found: the core's own word, and what could not be asked."""

from ops.config.lint.finding import ERROR, NOTE, WARNING, Rule, add

CORE_REFUSES = add(
    Rule(
        code="XO001",
        name="core-refuses",
        severity=ERROR,
        sentence="The core itself refuses this config.",
        why="It would not start. Its own message is given, without the names of its modules.",
        remedy="mend what the message says; the place is our reading of it",
    )
)
UNREADABLE = add(
    Rule(
        code="XO002",
        name="unreadable",
        severity=ERROR,
        sentence="The file is no config: no JSON, no UTF-8, too big or nested too deeply.",
        why="The core reads none of it.",
        remedy="mend the line that is named; comments (//, /* */, #) are allowed",
    )
)
CORE_NOT_ASKED = add(
    Rule(
        code="XO003",
        name="core-not-asked",
        severity=WARNING,
        sentence="There is no core here that could test the configs.",
        why="Only the core knows all that it refuses; the rules alone have judged.",
        remedy="`ops core fetch`, or name one with --core PATH; --require-core makes this an error",
    )
)
CORE_NOT_PINNED = add(
    Rule(
        code="XO004",
        name="core-not-pinned",
        severity=WARNING,
        sentence="The core that tested is not the one that the inventory pins.",
        why="Another version refuses and ignores other things.",
        remedy="`ops core fetch` gets the pinned one; --require-core makes this an error",
    )
)
STOOD_IN = add(
    Rule(
        code="XO005",
        name="stood-in",
        severity=NOTE,
        sentence="Secrets or files that are not here were stood in for.",
        why="The core tested the shape of the config, not these.",
        remedy="for secrets `ops validate --require-secrets`, in the job that deploys; for files "
        "nothing: a rollout has each host's own core test with them",
    )
)
SECRETS_MISSING = add(
    Rule(
        code="XO006",
        name="secrets-missing",
        severity=ERROR,
        sentence="Secrets are not here, and --require-secrets asked for them.",
        why="The rollout would refuse these hosts.",
        remedy="`ops secrets fill` makes new ones, `ops secrets recover` reads back old ones",
    )
)
IGNORED_IN_VAIN = add(
    Rule(
        code="XO007",
        name="ignored-in-vain",
        severity=WARNING,
        sentence="A host's `ignore` names a rule that finds nothing there.",
        why="What it hid is mended; left in place it would hide the next one.",
        remedy="take it out of `ignore`",
    )
)
INVENTORY_WRONG = add(
    Rule(
        code="XO009",
        name="inventory-wrong",
        severity=ERROR,
        sentence="The files of the fleet are wrong.",
        why="Nothing can be rendered from them.",
        remedy="mend the line that is named",
    )
)
TIME_IS_UP = add(
    Rule(
        code="XO008",
        name="time-is-up",
        severity=ERROR,
        sentence="Rendering or testing a config took longer than it may.",
        why="A template that loops, or a core that hangs, would hold the rollout for ever.",
        remedy="look for a loop in the fleet's templates/",
    )
)
LINK_DEAD = add(
    Rule(
        code="XO010",
        name="link-cannot-work",
        severity=ERROR,
        sentence="A link to an inbound cannot work with what was rendered.",
        why="Links are made from hosts.toml. A template of the fleet renders another inbound: the "
        "core starts, and nobody who was given the link connects.",
        remedy="say it in hosts.toml, or mend the template in templates/",
    )
)
