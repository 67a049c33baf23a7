"""The local Kafka broker and what it needs: Java, jars, topics."""
