"""Recurrent networks: cells, wrappers of cells, and what runs a cell over a sequence. Built only from public ops."""
