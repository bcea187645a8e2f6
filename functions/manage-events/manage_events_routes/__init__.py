"""The routes of organizers for their series and events."""
