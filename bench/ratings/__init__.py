"""The measurements of the part `ratings`: a module for each group of rows."""
