"""Write a new project."""
