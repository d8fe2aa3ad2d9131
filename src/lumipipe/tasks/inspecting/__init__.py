"""What is in files, for `lumipipe inspect`: read, measured, guessed where said, and shown."""
