"""From the user's Graph to the first Flow."""
