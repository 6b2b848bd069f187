"""What users call, by family, each with its public names (public.py). It makes graphs, and computes nothing."""
