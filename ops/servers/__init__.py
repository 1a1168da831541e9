"""A rollout: look at a server, plan, apply; and the program that runs on the server."""
