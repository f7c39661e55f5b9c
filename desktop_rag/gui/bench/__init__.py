"""The Benchmark screen, and the painting that `bench --targets` measures."""
