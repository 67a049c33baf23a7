"""The demo: the data of real flights from New York, and the report about their scores."""
