"""Overviews: a customer's, an instructor's, an organization's."""
