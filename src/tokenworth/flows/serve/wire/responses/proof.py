"""The proof of a reasoning item: its encrypted content, with the supplier's id of the item, which has to come back with it."""

import re

OWN = "rs_tw_"
"""How the ids begin that are made here, for reasoning that has none."""
STATED = re.compile(r"(rs_\w+):(.*)", re.DOTALL)


def joined(name: str, encrypted: str) -> str:
    """Return the proof of an item; empty where its content is not encrypted, since then it proves nothing."""
    return f"{name}:{encrypted}" if encrypted and name and not name.startswith(OWN) else encrypted


def split(proof: str, tag: str) -> tuple[str, str]:
    """Return an item's id and its encrypted content; `tag` makes the id of one that has none."""
    found = STATED.fullmatch(proof)
    return (found[1], found[2]) if found else (f"{OWN}{tag}", proof)
