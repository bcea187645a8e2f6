"""Fixtures and builders of the tests, a module for each subject."""
