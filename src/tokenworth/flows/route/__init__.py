"""Which member of a product's mix serves a request: plain functions and small state machines; instants come in as arguments.

affinity    what a request belongs with, so that it finds its cached prefix again, and the members in the order of that key
health      whether a member answers: a circuit breaker over its latest answers
verdict     what an answer says about who failed, and whether another member may be asked
router      the members of a mix in the order in which they are asked, by both
"""
