"""What runs on a host: Python 3.9's own library and nothing else, sent over ssh as one zip."""
