"""The program that a rollout sends to hosts as one zip. It needs only the library of Python 3.9."""
