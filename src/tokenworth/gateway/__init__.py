"""The edge that customers call: a raw ASGI application on granian. It parses HTTP, calls `flows.serve`, and renders; it decides nothing.

asgi       bodies, headers, errors
app        the routes
server     one process, one port, a graceful end
workers    several processes behind one port
"""
