"""What a crash may not do: processes killed at random instants, and power cut while writes are not yet on the disk. `make chaos` runs all.

load      a process under load that tells what was acknowledged
kills     kill it, and look at what it left
servers   kill the PostgreSQL server too
power     a record of what was written and synced, cut at random
"""
