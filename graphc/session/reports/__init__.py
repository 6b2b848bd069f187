"""What a session tells of its runs: traces, times, and what was near the limits of the machine."""
