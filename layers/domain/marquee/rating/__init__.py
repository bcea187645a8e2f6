"""Ratings: votes, sliders and fires in, scores of items out."""
