"""What makes a JVM and Python workers start sooner."""
