"""Two at work on one real server: one whole set, and each is told of the other."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from lab import Host
from ops.model import layout
from ops.servers.on_host import places
from tests.lab.operator import BIN, Operator
from tests.lab.witness import NO_V6, serves


@contextmanager
def held(host: Host) -> Iterator[None]:
    """Hold the host's lock, as a rollout that takes long."""
    hold = f"""
import sys
sys.path.insert(0, "{places.PROGRAM}")
from ops.servers.on_host import lock
with lock.held("ann@desk"):
    print("held", flush=True)
    sys.stdin.read()
"""
    words = host.ssh_command(f"python3 -I -c {shlex.quote(hold)}")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout
        assert one.stdout.readline() == "held\n"
        yield


def test_a_second_rollout_is_told_who_is_at_work(operator: Operator) -> None:
    operator.of_host = {"lab1": NO_V6}
    operator.fill()
    with held(operator.lab.host("lab1")):
        done = operator.pyinfra("-y", "--limit", "lab1")
    assert done.returncode == 1
    assert re.search(r"another rollout is running here: ann@desk, since 20\d\d-", done.stdout)
    operator.roll_out("--limit", "lab1")


def test_two_rollouts_at_once_leave_one_whole_set(operator: Operator) -> None:
    operator.of_host = {"lab1": NO_V6}
    operator.fill()
    both = [operator.start("-y", "--limit", "lab1") for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    outcomes = sorted(process.returncode for process in both)
    assert outcomes[0] == 0, said
    if outcomes[1]:
        told = "another rollout is running here: \\w+@|changed since the plan"
        assert any(re.search(told, one) for one in said), said
    assert "nothing to change" in operator.roll_out("--limit", "lab1")
    assert serves(operator, "lab1")


def test_a_host_that_changed_behind_the_prompt_is_left_alone(operator: Operator) -> None:
    host = operator.lab.host("lab1")
    operator.of_host = {"lab1": NO_V6}
    operator.fill()
    words = [str(BIN / "pyinfra"), "inventory", "deploy.py", "--limit", "lab1"]
    environment = operator.variables()
    pipe = subprocess.PIPE
    with subprocess.Popen(
        words,
        cwd=operator.folder,
        env=environment,
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.STDOUT,
        text=True,
    ) as asked:
        assert asked.stdout
        for line in asked.stdout:
            if "Detected changes may not" in line:
                break
        host.run(f"echo >> {layout.CONFIG}")
        said, _ = asked.communicate("\n")
    assert asked.returncode == 1
    assert "look: the host changed since the plan: run again; nothing was changed" in said
    operator.roll_out("--limit", "lab1")
