"""The folder in git: hosts, keys, secrets, and choosing among them."""
