"""What several tests use: events, ledgers, gateways."""
