"""contrib.slim: what it has beside contrib.layers."""
