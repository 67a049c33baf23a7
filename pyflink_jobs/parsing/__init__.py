"""SQL text to statements, columns, calls; no JVM."""
