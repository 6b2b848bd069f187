"""Sessions that train: what prepares, watches, saves and restarts them. Built only from public functions."""
