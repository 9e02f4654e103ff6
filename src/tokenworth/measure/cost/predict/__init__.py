"""Throughput of what nobody measured: from kernels where they are known, from a roofline where not, and how far off that may be."""
