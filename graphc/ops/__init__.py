"""The op classes, by family. manifest.py lists them; they import ir/ and know nothing of what users call."""
