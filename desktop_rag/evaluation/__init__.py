"""Measuring the product: benchmarks, targets, probes; every figure can be recomputed from the rows it came from."""
