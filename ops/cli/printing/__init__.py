"""Tables, CSV, JSON, messages and exit codes: the output of the verbs."""
