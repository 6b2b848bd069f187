"""What belongs to a session besides its variables: queues, tables, readers, iterators and their like."""
