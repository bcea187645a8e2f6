"""Measurements of money."""
