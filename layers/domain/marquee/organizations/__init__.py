"""Organizations: their settings, business details, locations, rooms, instructors, resources and booking policies."""
