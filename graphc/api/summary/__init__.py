"""The ops that make summaries, each by itself."""
