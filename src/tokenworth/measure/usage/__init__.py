"""Providers' usage payloads -> disjoint counts; exact, without clock or IO."""
