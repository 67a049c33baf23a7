"""A record's CPU time by stage, in the JVM and in Python workers."""
