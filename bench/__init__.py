"""How fast Marquee is, and how that compares with what nothing could beat: `python -m bench`."""
