"""Where a record's microseconds go, in the JVM and in its Python workers."""
