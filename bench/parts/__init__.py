"""The parts of the benchmark. Each module has `rows(run)`, which yields its rows, and `TARGETS` by row name."""
