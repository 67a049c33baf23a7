"""Projects and files that `millstream new` writes."""
