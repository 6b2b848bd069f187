"""Sessions: feeds and fetches, what is compiled and kept, and what a run says of itself.

session      Session.run: prepared_run (what is kept of a kind of run), feeds, fetches; careful_run (first runs, runs
             with options), callables, partial, interactive
compiling    from a kind of run to an Engine: trials (ranks that are guessed), placement (CPU or GPU), warming, unshaped
config       settings, devices; server, cluster, places: sessions that share variables
objects      what lives as long as a session: queues, accumulators, barriers, tables, readers, iterators, streams;
             waiting: how their calls wait
run_report   what a run did and what it cost: trace, step_stats, step_cost, explain, describe, growth; tuning
"""
