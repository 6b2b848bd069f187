"""A plan of which the GPU does parts and the host the rest: how it is cut, and how it runs."""
