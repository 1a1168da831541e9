"""A fleet becomes configs of cores and links of clients, each checked."""
