"""The measurements of the part `money`: a module for each group of rows."""
