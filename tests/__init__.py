"""The tests: unit mirrors the source, property has a file a law, stores and sim run real databases and servers."""
