"""Overviews for customers, instructors and organizations."""
