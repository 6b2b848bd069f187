"""contrib.layers, mapped on graphc.layers."""
