"""The edge that customers call: a raw ASGI application on uvicorn's protocol. It parses HTTP, calls `flows.serve`, and renders; it decides nothing.

asgi       bodies, headers, errors
app        the routes
connection limits of a client's connection
server     one process, one port, a graceful end
workers    several processes behind one port
"""
