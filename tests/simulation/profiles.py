"""Three fleets: one at rest, a normal one, and a wild one."""

from tests.simulation.chance import DAY, MINUTE, SECOND, Profile
from tests.simulation.questions import HOUR

SHORT = ((1, SECOND), (SECOND, 30 * SECOND), (30 * SECOND, 2 * MINUTE))
LONG = ((MINUTE, 4 * MINUTE), (5 * MINUTE, 20 * MINUTE), (HOUR, 12 * HOUR), (DAY, 5 * DAY))

REST = Profile({"traffic": 50, "collect": 30, "ask": 8, "agree": 1, "status": 1}, SHORT)

NORMAL = Profile(
    {
        "traffic": 40,
        "collect": 15,
        "burst": 4,
        "settle": 1.5,
        "serve": 1,
        "stop": 3,
        "crash": 2,
        "reboot": 1,
        "power": 0.5,
        "start": 1,
        "fault": 4,
        "host": 1.5,
        "absent": 1,
        "delete": 1,
        "maintain": 0.3,
        "key": 1.5,
        "unkey": 1,
        "rotate": 0.5,
        "roll out": 5,
        "adopt": 1,
        "die": 1,
        "mark": 0.5,
        "ask": 7,
        "agree": 0.7,
        "since reset": 0.5,
        "status": 0.7,
        "verify": 0.3,
    },
    (*SHORT, *SHORT, *LONG),
)

WILD = Profile(
    {
        **NORMAL.weights,
        "rebuild": 1,
        "used": 2,
        "rename": 2,
        "move": 3,
        "alias": 1,
        "reset": 0.7,
        "damage": 1,
        "clock": 0.15,
        "clock here": 0.15,
        "late": 1,
        "thaw": 1,
        "away": 1,
        "back up": 0.7,
        "restore": 0.5,
        "adopt": 2.5,
        "second": 0,
    },
    (*SHORT, *LONG, (10 * DAY, 40 * DAY)),
)

PROFILES = {"rest": REST, "normal": NORMAL, "wild": WILD}
