"""What a server gets, in order; `inventory/` says which server, and `ops/servers/rollout` how."""

from ops.servers.rollout import change, compare, look

seen = look()  # one round trip: what the host has, and what its core really runs
plan = compare(seen)  # what the fleet asks for besides: printed, by key, without a secret
change(plan)  # core, config and units as one set, which the host swaps, proves, or takes back
