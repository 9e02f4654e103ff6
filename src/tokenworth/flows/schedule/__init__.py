"""Who goes to a supplier next, where it cannot take all at once. Pure but for `gate`; instants come in as arguments, in microseconds.

capacity    slots and tokens a minute of a supplier, with what is reserved for tiers
queue       who waits: earliest deadline first, so that who has waited long enough goes before whoever came later
gate        the queue for tasks of an event loop
promise     was the promise of a tier kept
"""
