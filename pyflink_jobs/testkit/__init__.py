"""Given/expect tests of feature files."""
