"""What a running gateway tells of itself: counted where it happens, rendered when it is asked for.

metrics   counters, gauges and histograms of one process, and the sum of several processes'
meters    what is counted, by name
current   what is known of the request that a task serves
ledger    a ledger that is watched: all that is held, settled, lost and recorded goes through it
"""
