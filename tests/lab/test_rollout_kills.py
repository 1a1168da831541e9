"""Rollouts killed at every step on real servers: the set before serves, the next run heals."""

import pytest

from ops.model import layout
from ops.servers.on_host import places
from ops.servers.on_host.swap import Swap
from tests.lab.operator import Operator
from tests.lab.witness import MIB, NO_V6, config, life, serves

STEPS = [*(step.__name__ for step in Swap.STEPS), f"switch {layout.CONFIG}"]
ROUNDS = [STEPS[start : start + 3] for start in range(0, len(STEPS), 3)]


@pytest.mark.parametrize("steps", ROUNDS, ids=[" ".join(steps) for steps in ROUNDS])
def test_killed_after_any_step_the_old_set_serves_and_the_next_run_heals(
    operator: Operator, steps: list[str]
) -> None:
    hosts = operator.lab.hosts[: len(steps)]
    before = {host: (life(host), config(host)) for host in hosts}
    operator.of_host = dict.fromkeys(("lab1", "lab2", "lab3"), NO_V6)
    operator.fill()
    for host, step in zip(hosts, steps, strict=True):
        host.put(step, places.DRILL)
    words = [word for host in hosts for word in ("--limit", host.name)]
    done = operator.pyinfra("-y", *words)
    assert done.returncode == 1
    for host, step in zip(hosts, steps, strict=True):
        if step == "record":
            continue
        undone = step in ("journal", "switch", "activate", "prove", STEPS[-1])
        assert (f"[{host.name}] the rollout was killed" in done.stdout) is undone
        assert config(host) == before[host][1]
        assert (life(host) == before[host][0]) is (step not in ("activate", "prove"))
        assert serves(operator, host.name)
    operator.roll_out(*words)
    assert operator.roll_out(*words).count("nothing to change") == len(hosts)


@pytest.mark.parametrize("step", ["journal", "switch", "activate"])
def test_killed_while_keys_change_nobody_is_dropped(operator: Operator, step: str) -> None:
    host = operator.lab.host("lab1")
    before = life(host), config(host)
    operator.keys = ["alice", "carol"]
    operator.fill()
    host.put(step, places.DRILL)
    with operator.client("alice", "lab1") as client, client.stream() as stream:
        assert operator.pyinfra("-y", "--limit", "lab1").returncode == 1
        assert (life(host), config(host)) == before
        said = operator.roll_out("--limit", "lab1")
        stream.wait_for(MIB)
    assert "the running core takes the change" in said
    assert life(host) == before[0]
    assert serves(operator, "lab1", "carol")
