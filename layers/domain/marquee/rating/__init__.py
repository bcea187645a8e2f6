"""Ratings: scores of items from votes, sliders and fires."""
