"""Benchmarks: each prints ratios beside its peers in one run."""
