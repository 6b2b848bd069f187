"""Sessions: feeds and fetches, what is compiled and kept, and what a run says of itself."""
