"""What Marquee promises, each promise a test."""
