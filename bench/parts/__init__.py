"""The parts of the benchmark: each module here has `rows(run)`, which yields its rows, and `TARGETS` by their names."""
