"""What is measured of the ratings."""
