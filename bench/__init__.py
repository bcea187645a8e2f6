"""Benchmarks: how fast Marquee is, compared with floors that are measured in the same run. Run `python -m bench`."""
