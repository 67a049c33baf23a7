"""A project on disk: its settings, SQL files and model files."""
