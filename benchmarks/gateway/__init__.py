"""The gateway beside other gateways: one mock upstream, one load, one run. `python -m benchmarks.gateway --help`.

processes  start, wait for a port, stop
upstream   the mocks: nginx with a fixed body, and a small streaming server
peers      LiteLLM, Portkey, TensorZero and SMG, each set up in a folder of its own
ours       tokenworth, set up by its own commands
load       wrk, and what it measured
commits    the durable commits alone
streams    many slow streams at once: gaps between tokens, memory
"""
