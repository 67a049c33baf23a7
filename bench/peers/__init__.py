"""Alternatives to Millstream, measured with the same records and models, Kafka to Kafka."""
