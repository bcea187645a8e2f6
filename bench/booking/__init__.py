"""The measurements of the part `booking`: a module for each group of rows."""
