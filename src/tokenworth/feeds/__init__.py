"""Facts from outside: price lists, request traces."""
