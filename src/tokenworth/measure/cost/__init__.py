"""What a token costs to make: measured points, their frontiers, and what is computed from them. Numeric: needs the extra `analytics`."""

from tokenworth.core.extras import need

need("scipy", "analytics")
