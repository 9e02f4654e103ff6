"""A process that spends: argv is the ledger's file, the worker's number, and how many requests. Prints a JSON line for each."""

import json
import sys

from tests.support.events import START, draft, settled
from tokenworth.capture.commands import Hold, Refused, Settle
from tokenworth.wiring.ledgers import open_ledger, where_of

path, worker, requests = where_of(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with open_ledger(path, clock=lambda: START) as ledger:
    for number in range(requests):
        event = draft(worker * 1_000_000 + number)
        (held,) = ledger.submit_now([Hold(event, 10, START + 60_000_000)])
        outcome = {"id": event.id, "settled": False, "refused": ""}
        if isinstance(held, Refused):
            outcome["refused"] = held.reason
        else:
            (result,) = ledger.submit_now([Settle(settled(event, 10))])
            outcome["settled"] = not isinstance(result, Refused)
        sys.stdout.write(json.dumps(outcome) + "\n")
        sys.stdout.flush()
