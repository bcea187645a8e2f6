"""Between AWS and the domain; imported by functions only."""
