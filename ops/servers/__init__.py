"""A rollout: look at a server, plan, apply; and the program that applies it there."""
