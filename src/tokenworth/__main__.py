"""`python -m tokenworth` is the command `tokenworth`."""

from tokenworth.cli import main

main()
