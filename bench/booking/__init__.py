"""What the rows of the part `booking` measure, a module each."""
