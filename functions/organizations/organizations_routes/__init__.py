"""Routes of the function organizations, with a module for each subject."""
