"""Options that several verbs share, and questions to the person at the terminal."""
