"""The composition root: the one place with settings, clock, randomness and logging."""
