"""What a bundle has in the place of libraries, where NumPy is the one array library."""
