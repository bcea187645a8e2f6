"""The routes of people and of those who manage them."""
