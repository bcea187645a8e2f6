"""Marquee on one machine: people, places and events to try it with."""
