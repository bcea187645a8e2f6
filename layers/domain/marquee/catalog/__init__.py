"""The public catalog: search, details, places and calendars."""
