"""The versions of the schema, one a file."""
