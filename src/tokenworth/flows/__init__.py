"""Use-cases; what they need from outside are Protocols in `ports`."""
