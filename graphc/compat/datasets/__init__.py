"""The data sets that TensorFlow's tutorials load."""
