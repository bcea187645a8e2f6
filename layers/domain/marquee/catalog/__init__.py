"""What is on, for everybody: search, details, places and calendars."""
