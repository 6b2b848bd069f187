"""Passes over images: their layout, pads and sizes."""
