"""Real gateways, real clients, real processes."""
