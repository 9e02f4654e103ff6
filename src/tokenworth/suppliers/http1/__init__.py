"""A lean HTTP/1.1 client for one origin: a POST and its answer, as bytes that come, over connections that are reused.

origin      a base URL, and the bytes of a request to it
connection  one connection: parses answers, pauses a supplier that is faster than the client, notices silence
pool        the connections to an origin

It knows no redirects, cookies, compression or proxies, and never sends a request twice.
"""
