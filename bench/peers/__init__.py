"""What a user would pick instead, measured beside Millstream: Kafka to Kafka, the same records and models."""
