"""Small tools of the project, run as `python -m scripts.<name>`."""
