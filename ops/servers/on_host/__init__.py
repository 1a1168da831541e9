"""The program that a rollout sends to hosts as one zip. It needs only Python 3.9 and its library."""
