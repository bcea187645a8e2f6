"""Demo data and a guided tour for Marquee on one machine."""
