"""The three steps of a rollout. pyinfra runs this file for each host of `inventory/`."""

from ops.servers.rollout import apply, look, plan

state = look()  # ask the host for its files, its core and its users, in one round trip
planned = plan(state)  # compare with the fleet, and print the changes without any secret
apply(planned)  # the host swaps core, config and units as one set, tests it, or takes it back
