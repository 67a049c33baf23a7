"""The Java classes that run inside Flink, and how they are built."""
