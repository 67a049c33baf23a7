"""Read SQL text: statements, columns, calls. Needs no JVM and no project."""
