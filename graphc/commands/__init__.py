"""What the command `graphc` does that graphc-run does, too: one table of flags, the same files, the same words."""
